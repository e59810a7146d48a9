#include "sim/attacks/protocol_attacks.h"

#include <algorithm>

#include "protocol/signed_message.h"
#include "sim/world.h"

namespace muster::sim {
namespace {

using protocol::MessageType;
using protocol::OutcomeCode;

constexpr TimeMs kTooLate = 90'000;

// Changes one kind of message and signs it again.
template <class Message>
class Changed : public Tamper {
 public:
  std::vector<Outgoing> message(const SigningKey& key, const Bytes& message) override {
    auto envelope = wire::reread_envelope(message).value();
    if (!protocol::is_a(envelope, Message::kType)) return {{0, message}};
    auto body = protocol::read_body<Message>(envelope).value();
    change(body);
    protocol::set_body(envelope, body);
    return {{0, wire::seal_envelope(envelope, key)}};
  }

 protected:
  virtual void change(Message& message) = 0;
};

class WrongKey final : public Changed<protocol::Reveal> {
  void change(protocol::Reveal& reveal) override { reveal.key[0] ^= 1; }
};

// The key of its last round, as if any of its keys would do.
class OldKey final : public Changed<protocol::Reveal> {
  void change(protocol::Reveal& reveal) override { std::swap(reveal.key, last_); }
  CipherKey last_{};
};

// Its key, in answer to a close that nobody signed.
class OtherClose final : public Changed<protocol::Reveal> {
  void change(protocol::Reveal& reveal) override { reveal.commit_root.bytes[0] ^= 1; }
};

// Claims a number of sequences that is not what it was assigned.
class NothingUsed final : public Adversary {
 public:
  explicit NothingUsed(const AdversaryContext&) {}
  std::uint32_t claims(std::uint32_t, std::uint32_t) override { return 0; }
};
class TooMuchUsed final : public Adversary {
 public:
  explicit TooMuchUsed(const AdversaryContext&) {}
  std::uint32_t claims(std::uint32_t, std::uint32_t) override { return 0xFFFFFFFF; }
};

class LateKey final : public Tamper {
  std::vector<Outgoing> message(const SigningKey&, const Bytes& message) override {
    const auto envelope = wire::reread_envelope(message).value();
    return {{protocol::is_a(envelope, MessageType::kReveal) ? kTooLate : 0, message}};
  }
};

// Two versions of the same message, both signed.
template <class Message>
class Twice final : public Tamper {
  std::vector<Outgoing> message(const SigningKey& key, const Bytes& message) override {
    auto envelope = wire::reread_envelope(message).value();
    if (!protocol::is_a(envelope, Message::kType)) return {{0, message}};
    auto body = protocol::read_body<Message>(envelope).value();
    vary(body);
    protocol::set_body(envelope, body);
    return {{0, message}, {0, wire::seal_envelope(envelope, key)}};
  }
  static void vary(protocol::Commit& commit) { ++commit.inner_steps; }
  static void vary(protocol::Reveal& reveal) { reveal.key[0] ^= 1; }
  static void vary(protocol::Screen& screen) { screen.assessment.bytes[0] ^= 1; }
};

// Everything fifty times, with rubbish between.
class Flood final : public Tamper {
 public:
  explicit Flood(std::uint64_t seed) : random_(seed, 21) {}
  std::vector<Outgoing> message(const SigningKey&, const Bytes& message) override {
    std::vector<Outgoing> many;
    for (int i = 0; i < 50; ++i) {
      many.push_back({0, message});
      Bytes rubbish = message;
      rubbish.resize(random_.below(rubbish.size()) + 1);
      rubbish[random_.below(rubbish.size())] ^= 0x40;
      many.push_back({0, std::move(rubbish)});
    }
    return many;
  }

 private:
  Prng random_;
};

// Other bytes than those whose id the commit names.
class OtherBlob final : public Tamper {
  Bytes blob(Bytes blob) override {
    blob.back() ^= 1;
    return blob;
  }
};

// Segments of random bytes, well sealed.
class Garbage final : public Adversary {
 public:
  explicit Garbage(const AdversaryContext& context) : random_(context.seed, 23) {}
  compression::Payload payload(Round, compression::Payload trained) override {
    for (Bytes& segment : trained.segments)
      for (std::uint8_t& byte : segment) byte = static_cast<std::uint8_t>(random_.next_u32());
    return trained;
  }

 private:
  Prng random_;
};

// A few bits of an honest payload flipped: levels that are zero, denormal or not finite, indices
// past the end.
class Flipped final : public Adversary {
 public:
  explicit Flipped(const AdversaryContext& context) : random_(context.seed, 24) {}
  compression::Payload payload(Round, compression::Payload trained) override {
    Bytes& segment = trained.segments[random_.below(trained.segments.size())];
    for (int i = 0; i < 3; ++i) segment[random_.below(segment.size())] ^= 0x80;
    return trained;
  }

 private:
  Prng random_;
};

// Another density than the round's.
class OtherFormat final : public Adversary {
 public:
  explicit OtherFormat(const AdversaryContext& context) : layout_(context.layout) {}
  compression::Payload payload(Round, compression::Payload trained) override {
    auto format = trained.format;
    format.keep = 4096;
    std::vector<float> dense(layout_.parameters(), 1e-3f);
    return compression::compress(layout_, format, dense).value();
  }

 private:
  compression::Layout layout_;
};

// Values so small that the norm is below the minimum.
class Tiny final : public Adversary {
 public:
  explicit Tiny(const AdversaryContext& context) : layout_(context.layout) {}
  compression::Payload payload(Round, compression::Payload trained) override {
    std::vector<float> dense(layout_.parameters(), 1e-20f);
    return compression::compress(layout_, trained.format, dense).value();
  }

 private:
  compression::Layout layout_;
};

// Votes against the first miner, whatever it sends.
class RejectsOne final : public Changed<protocol::Screen> {
  void change(protocol::Screen& screen) override {
    if (!screen.entries.empty()) screen.entries.front().verdict = protocol::Verdict::kReplay;
  }
};

class RejectsAll final : public Changed<protocol::Screen> {
  void change(protocol::Screen& screen) override {
    for (auto& entry : screen.entries) entry.verdict = protocol::Verdict::kLowCosine;
  }
};

// Full standing for one miner, none for the others.
class Favours final : public Changed<protocol::Screen> {
  void change(protocol::Screen& screen) override {
    for (auto& entry : screen.entries) entry.standing = 0;
    if (!screen.entries.empty()) screen.entries.back().standing = 65535;
  }
};

// A secret that it did not promise: its draws would be of its own choice.
class OtherSecret final : public Changed<protocol::Screen> {
  void change(protocol::Screen& screen) override { screen.secret[0] ^= 1; }
};

// Nobody can contradict what nobody sees.
class NeverOpens final : public Changed<protocol::Screen> {
  void change(protocol::Screen& screen) override { screen.opened.clear(); }
};

// Longer than the grace lasts, shorter than a phase.
constexpr TimeMs kLaterThanTheGrace = 12'000;

// Seven validators without stake judge at once, three with stake take their time.
void stakeless_validators(WorldConfig& config) {
  config.validators = 10;
  config.adversary = config.miners + 4;
  config.adversaries = 7;
  config.adversaries_have_stake = false;
  config.honest_delay_ms = kLaterThanTheGrace;
}

constexpr Round kCrowdComes{10};

class Crowd final : public Adversary {
 public:
  explicit Crowd(const AdversaryContext& context) : noise_(noise(context)) {}
  bool takes_part(Round round) override { return round >= kCrowdComes; }
  compression::Payload payload(Round round, compression::Payload trained) override {
    return noise_->payload(round, std::move(trained));
  }

 private:
  std::shared_ptr<Adversary> noise_;
};

std::shared_ptr<Adversary> crowd(const AdversaryContext& context) {
  return std::make_shared<Crowd>(context);
}

// Two of three miners come when the others are proven, and deliver at once, while the others train.
void newcomer_majority(WorldConfig& config) {
  config.rounds = 16;
  config.miners = 12;
  config.adversary = 5;
  config.adversaries = 8;
  config.honest_delay_ms = kLaterThanTheGrace;
}

// Gives the first miner that it measures the best scores, whatever it sent, and the others the
// worst.
class Fabricates final : public Tamper {
  void scored(verify::Scored& scored) override {
    for (std::size_t i = 0; i < scored.measurements.size(); ++i) {
      const double score = i == 0 ? 0.7 : 0.05;
      verify::ScoreParts& parts = scored.measurements[i].score;
      parts.all = score;
      parts.quarters.fill(score);
      std::ranges::fill(parts.groups, score);
    }
  }
};

// So many rounds that two validators have each measured in the place of the third.
void long_run(WorldConfig& config) { config.rounds = 60; }

void forked_close(WorldConfig& config) {
  config.adversary = 0;
  config.bug = PlantedBug::kForkedClose;
  config.stop_at_violation = false;
}

void silent_receipts(WorldConfig& config) {
  config.adversary = 0;
  config.bug = PlantedBug::kDeafToOne;
}

void ledger_rollback(WorldConfig& config) {
  config.adversary = 0;
  config.bug = PlantedBug::kLedgerGoesBack;
}

void lying_roster(WorldConfig& config) {
  config.adversary = 0;
  config.bug = PlantedBug::kLyingRoster;
}

template <class T>
std::shared_ptr<Tamper> made(std::uint64_t seed) {
  if constexpr (std::is_constructible_v<T, std::uint64_t>) {
    return std::make_shared<T>(seed);
  } else {
    return std::make_shared<T>();
  }
}

template <class T>
std::shared_ptr<Adversary> acting(const AdversaryContext& context) {
  return std::make_shared<T>(context);
}

WorldConfig network_of(const ProtocolAttack& attack, std::uint64_t seed) {
  WorldConfig config;
  config.seed = seed;
  config.rounds = 10;
  config.cheaters = 0;
  config.partitions = false;
  config.faults = {.loss = 0, .duplication = 0, .delay_min_ms = 1, .delay_max_ms = 40};
  const NodeId last_miner = config.miners, last_validator = config.miners + config.validators;
  config.adversary = attack.role == Role::kMiner ? last_miner : last_validator;
  config.tamper = attack.tamper != nullptr ? attack.tamper(seed) : nullptr;
  config.conduct = attack.conduct;
  if (attack.arrange != nullptr) attack.arrange(config);
  return config;
}

}  // namespace

const std::vector<ProtocolAttack>& protocol_attacks() {
  using enum OutcomeCode;
  static const std::vector<ProtocolAttack> all{
      {"withheld-key", "commits, and keeps its key in every second round", Role::kMiner,
       kKeyWithheld, nullptr, withholding},
      {"late-key", "sends its key when the reveals are closed", Role::kMiner, kKeyWithheld,
       made<LateKey>, nullptr},
      {"wrong-key", "reveals a key that it did not commit to", Role::kMiner, kKeyWithheld,
       made<WrongKey>, nullptr},
      {"old-key", "reveals the key of an earlier round", Role::kMiner, kKeyWithheld, made<OldKey>,
       nullptr},
      {"other-close", "reveals its key in answer to another close", Role::kMiner, kKeyWithheld,
       made<OtherClose>, nullptr},
      {"two-commits", "signs two commits in one round", Role::kMiner, kEquivocated,
       made<Twice<protocol::Commit>>, nullptr},
      {"two-keys", "signs two keys in one round", Role::kMiner, std::nullopt,
       made<Twice<protocol::Reveal>>, nullptr},
      {"no-sequences", "claims that it used no sequence", Role::kMiner, kOtherSequences, nullptr,
       acting<NothingUsed>},
      {"all-sequences", "claims four billion sequences", Role::kMiner, kOtherSequences, nullptr,
       acting<TooMuchUsed>},
      {"changed-blob", "uploads other bytes than it committed to", Role::kMiner, kMissed,
       made<OtherBlob>, nullptr},
      {"garbage", "seals random bytes", Role::kMiner, kMalformed, nullptr, acting<Garbage>},
      {"flipped-bits", "flips bits in a good payload before sealing", Role::kMiner, kMalformed,
       nullptr, acting<Flipped>},
      {"other-format", "sends another density than the round's", Role::kMiner, kMalformed, nullptr,
       acting<OtherFormat>},
      {"tiny-norm", "values too small to count", Role::kMiner, kBelowMinimumNorm, nullptr,
       acting<Tiny>},
      {"flood", "sends everything fifty times, with rubbish between", Role::kMiner, std::nullopt,
       made<Flood>, nullptr},
      {"rejects-one", "a validator of a third of the stake votes against one honest miner",
       Role::kValidator, std::nullopt, made<RejectsOne>, nullptr},
      {"rejects-all", "a validator of a third of the stake votes against everybody",
       Role::kValidator, std::nullopt, made<RejectsAll>, nullptr},
      {"favours-one", "a validator of a third of the stake gives standing to one miner only",
       Role::kValidator, std::nullopt, made<Favours>, nullptr},
      {"two-screens", "a validator signs two screens in one round", Role::kValidator, std::nullopt,
       made<Twice<protocol::Screen>>, nullptr},
      {"other-secret", "a validator draws from a secret that it did not promise", Role::kValidator,
       std::nullopt, made<OtherSecret>, nullptr},
      {"stakeless-validators", "seven validators without stake reject everybody, at once",
       Role::kValidator, std::nullopt, made<RejectsAll>, nullptr, stakeless_validators},
      {"newcomer-majority", "eight of twelve miners come in round 10 and send noise, at once",
       Role::kMiner, kRejected, nullptr, crowd, newcomer_majority},
      {"fabricating-validator",
       "a validator of a third of the stake makes its scores up",
       Role::kValidator,
       std::nullopt,
       made<Fabricates>,
       nullptr,
       long_run,
       {},
       true},
      {"never-opens",
       "a validator of a third of the stake never opens what it seals",
       Role::kValidator,
       std::nullopt,
       made<NeverOpens>,
       nullptr,
       nullptr,
       {},
       true},
      {"forked-close", "a coordinator shows one validator another close", Role::kCoordinator,
       std::nullopt, nullptr, nullptr, forked_close, protocol::DisputeReason::kForkedClose},
      {"lying-roster", "a coordinator gives a validator a stake that the ledger does not",
       Role::kCoordinator, std::nullopt, nullptr, nullptr, lying_roster,
       protocol::DisputeReason::kRoster},
      {"silent-receipts",
       "a coordinator acknowledges no commit of one miner, and closes without it",
       Role::kCoordinator,
       std::nullopt,
       nullptr,
       nullptr,
       silent_receipts,
       {},
       false,
       "the coordinator has sent no receipt for its commit"},
      {"ledger-rollback",
       "the ledger goes back behind blocks that it signed",
       Role::kLedger,
       std::nullopt,
       nullptr,
       nullptr,
       ledger_rollback,
       {},
       false,
       "the ledger went back: it signed block"},
  };
  return all;
}

ProtocolFigures try_protocol_attack(const ProtocolAttack& attack,
                                    const std::vector<std::uint64_t>& seeds) {
  ProtocolFigures figures;
  figures.attack = &attack;
  for (const std::uint64_t seed : seeds) {
    const WorldConfig config = network_of(attack, seed);
    const WorldReport report = run_world(config);
    ++figures.networks;
    figures.rounds += report.sealed_rounds;
    figures.lost_rounds +=
        config.rounds - std::min<std::uint64_t>(config.rounds, report.sealed_rounds);
    figures.honest_accepted += report.honest_accepted;
    figures.honest_refused += report.honest_rejected;
    figures.honest_missed += report.honest_missed;
    figures.unscreened += report.unscreened_rounds;
    bool is_paid = false;
    for (const auto& [uid, outcomes] : report.outcomes)
      if (config.is_adversary(uid.value))
        for (const auto& [code, rounds] : outcomes) figures.outcomes[code] += rounds;
    for (const auto& [uid, weight] : report.weights)
      is_paid = is_paid || (config.is_adversary(uid.value) && weight > 0);
    figures.paid += is_paid;
    figures.without_vote += std::ranges::any_of(
        report.contradicted, [&](Uid uid) { return config.is_adversary(uid.value); });
    bool is_disputed = false;
    for (const std::string& violation : report.violations) {
      const bool is_wanted =
          attack.disputed &&
          violation.ends_with("accuses the coordinator: " + std::string(name_of(*attack.disputed)));
      is_disputed = is_disputed || is_wanted;
      // What else a lying coordinator breaks is its own.
      if (!attack.disputed)
        figures.violations.push_back("seed " + std::to_string(seed) + ": " + violation);
    }
    figures.disputed += is_disputed;
    if (!attack.said.empty())
      figures.said += std::ranges::any_of(report.notes, [&](const std::string& note) {
        return note.find(attack.said) != std::string::npos;
      });
  }
  return figures;
}

std::uint64_t ProtocolFigures::named() const {
  const auto found = attack->named ? outcomes.find(*attack->named) : outcomes.end();
  return found == outcomes.end() ? 0 : found->second;
}

std::vector<std::string> ProtocolFigures::missed() const {
  std::vector<std::string> missed = violations;
  const std::string name(attack->name);
  if (attack->disputed) {
    if (disputed < networks)
      missed.push_back(name + ": was disputed in " + std::to_string(disputed) + " of " +
                       std::to_string(networks) + " networks");
    return missed;  // what such a coordinator's run comes to is up to who stops it
  }
  if (!attack->said.empty() && said < networks)
    missed.push_back(name + ": was noticed in " + std::to_string(said) + " of " +
                     std::to_string(networks) + " networks");
  if (unscreened > 0)
    missed.push_back(name + ": " + std::to_string(unscreened) + " rounds were sealed unscreened");
  if (honest_missed > honest_accepted)
    missed.push_back(name + ": honest miners missed " + std::to_string(honest_missed) +
                     " rounds and made " + std::to_string(honest_accepted));
  if (lost_rounds > 0)
    missed.push_back(name + ": " + std::to_string(lost_rounds) + " rounds were lost");
  if (attack->named && named() == 0) missed.push_back(name + ": never named as it should be");
  if (attack->named && paid > 0)
    missed.push_back(name + ": is paid in " + std::to_string(paid) + " networks");
  if (attack->loses_vote && without_vote < networks)
    missed.push_back(name + ": kept its vote in " + std::to_string(networks - without_vote) +
                     " of " + std::to_string(networks) + " networks");
  // The analytic model cannot tell own from random data well: screening errs now and then.
  if (static_cast<double>(honest_refused) > 0.02 * static_cast<double>(honest_accepted))
    missed.push_back(name + ": " + std::to_string(honest_refused) +
                     " honest payloads were refused");
  return missed;
}

}  // namespace muster::sim
