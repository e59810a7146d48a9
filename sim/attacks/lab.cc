#include "sim/attacks/lab.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "protocol/assignment.h"
#include "protocol/chain_head.h"
#include "protocol/tally.h"
#include "state/aggregate.h"
#include "verify/draws.h"
#include "verify/evaluation.h"
#include "verify/screen.h"

namespace muster::sim {
namespace {

using protocol::OutcomeCode;
using protocol::Verdict;

struct Member {
  Uid uid;
  PublicKey hotkey;
  const Attack* attack = nullptr;
  std::shared_ptr<miner::Conduct> conduct;
  std::unique_ptr<protocol::InnerLoop> loop;
  // Of the round under way.
  OutcomeCode outcome = OutcomeCode::kMissed;
  compression::Payload payload;
  std::shared_ptr<const compression::DecodedPayload> decoded;
  double norm = 0;
  double trained = 0;  // share of its sequences
  float weight = 0;    // in the aggregate
  std::optional<verify::Measurement> measured;
  HonestTotals judged;  // of an honest miner among honest ones
  [[nodiscard]] bool delivered() const { return outcome == OutcomeCode::kAccepted; }
  [[nodiscard]] std::shared_ptr<const compression::SparseUpdate> whole() const {
    return {decoded, &decoded->whole};
  }
};

// Miners that are judged against each other, and what each validator has made of them.
struct Company {
  std::vector<std::size_t> members;
  std::vector<verify::RatingBook> books;         // per validator
  std::vector<std::map<Uid, Verdict>> verdicts;  // per validator, of the round under way
  std::vector<std::vector<std::int32_t>> drops;  // per validator: median drops of the rounds before
  std::map<Uid, protocol::Evaluation> evaluations;  // the first validator's, of the round under way
  HonestTotals honest;
};

PublicKey hotkey_of(std::uint64_t index) {
  ByteWriter writer;
  writer.write(index);
  return PublicKey{tagged_hash("muster/lab-hotkey", writer.bytes()).bytes};
}

class Lab {
 public:
  Lab(const LabConfig& config, const LabModel& model, const std::atomic<bool>& stop)
      : config_(config),
        params_(config.params),
        model_(model),
        stop_(stop),
        layout_(state::layout_of(params_.model)),
        run_id_(protocol::run_id_of(params_)),
        residual_(layout_.parameters(), 0.0f) {}

  Result<LabReport> run() {
    MUSTER_TRY_STATUS(assemble());
    for (std::uint64_t round = 0; round < params_.rounds; ++round) {
      MUSTER_TRY_STATUS(play(Round{round}));
      if (config_.round_done) config_.round_done(Round{round});
      const bool last = round + 1 == params_.rounds;
      if (!last && (round + 1) % config_.held_out_every != 0) continue;
      MUSTER_TRY(const double loss, probe_->held_out_loss());
      report_.held_out.emplace_back(round + 1, loss);
    }
    for (const Company& company : companies_) conclude(company);
    return std::move(report_);
  }

 private:
  Status assemble() {
    std::vector<float> theta(layout_.parameters());
    if (config_.start != nullptr) {
      theta = *config_.start;
    } else {
      state::initial_parameters(params_.model, params_.model_seed, theta);
    }
    MUSTER_TRY(probe_, model_.loss_probe(theta));
    for (std::uint32_t i = 0; i < config_.honest; ++i)
      MUSTER_TRY_STATUS(add_member(theta, nullptr, i, 0));
    std::vector<std::size_t> honest(config_.honest);
    std::iota(honest.begin(), honest.end(), std::size_t{0});
    std::uint32_t place = config_.honest;
    if (config_.aggregated) {
      std::map<const Attack*, std::uint32_t> hotkeys;
      for (const Attack* attack : config_.attackers)
        MUSTER_TRY_STATUS(add_member(theta, attack, place++, hotkeys[attack]++ % attack->hotkeys));
      std::vector<std::size_t> all(members_.size());
      std::iota(all.begin(), all.end(), std::size_t{0});
      add_company(std::move(all));
      places_ = place;
      return {};
    }
    add_company(honest);
    places_ = place + kScoredPlaces;
    for (const Attack* attack : config_.attackers) {
      auto company = honest;
      for (std::uint32_t hotkey = 0; hotkey < attack->hotkeys; ++hotkey) {
        company.push_back(members_.size());
        MUSTER_TRY_STATUS(add_member(theta, attack, place + hotkey, hotkey));
      }
      add_company(std::move(company));
    }
    return {};
  }

  Status add_member(std::span<const float> theta, const Attack* attack, std::uint32_t place,
                    std::uint32_t hotkey) {
    Member member;
    member.uid = Uid{static_cast<std::uint16_t>(place)};
    member.hotkey = hotkey_of(place);
    member.attack = attack;
    if (attack == nullptr) {
      member.conduct = std::make_shared<miner::Conduct>();
    } else {
      const auto first = static_cast<std::uint16_t>(place - hotkey);
      member.conduct = attack->make({layout_, params_.sequences, params_.training.batch,
                                     params_.model_seed * 1000 + place, Uid{first}});
    }
    MUSTER_TRY(member.loop,
               model_.inner_loop(theta, attack == nullptr ? LocalTraining{} : attack->training));
    members_.push_back(std::move(member));
    report_.miners.push_back({attack, hotkey, {}, {}, {}});
    return {};
  }

  void add_company(std::vector<std::size_t> members) {
    companies_.push_back({std::move(members),
                          std::vector<verify::RatingBook>(config_.validators),
                          std::vector<std::map<Uid, Verdict>>(config_.validators),
                          std::vector<std::vector<std::int32_t>>(config_.validators),
                          {},
                          {}});
  }

  // Whether the company is the one that member `i` is reported from.
  [[nodiscard]] bool reports(const Company& company, std::size_t i) const {
    return &company == &companies_.front() || members_[i].attack != nullptr;
  }

  [[nodiscard]] std::map<Uid, protocol::Standing> standings_in(const Company& company,
                                                               std::size_t validator) const {
    const auto rated = company.books[validator].standings();
    std::map<Uid, protocol::Standing> standings;
    for (const std::size_t i : company.members) {
      const auto found = rated.find(members_[i].hotkey);
      standings[members_[i].uid] = found == rated.end() ? protocol::Standing{} : found->second;
    }
    return standings;
  }

  [[nodiscard]] static std::map<Uid, std::uint64_t> weights_by(
      const std::map<Uid, protocol::Standing>& standings) {
    std::vector<protocol::Standing> in_order;
    for (const auto& [uid, standing] : standings) in_order.push_back(standing);
    const auto weights = protocol::miner_weights(in_order);
    std::map<Uid, std::uint64_t> weight_of;
    for (const auto& [uid, standing] : standings) weight_of[uid] = weights[weight_of.size()];
    return weight_of;
  }

  Status play(Round round) {
    if (stop_) return Error{Errc::kCancelled, "stopped"};
    open(round);
    // The honest ones first, so that who peeks has something to see.
    for (Member& member : members_) MUSTER_TRY_STATUS(train(member, round));
    MUSTER_TRY_STATUS(screen(round));
    MUSTER_TRY_STATUS(seal(round));
    for (Company& company : companies_) company.evaluations.clear();
    if (last_aggregate_ != nullptr) MUSTER_TRY_STATUS(score(round));
    for (const Company& company : companies_) observe(company);
    return {};
  }

  void open(Round round) {
    open_ = {};
    for (std::uint32_t place = 0; place < places_; ++place)
      open_.roster.push_back(
          {Uid{static_cast<std::uint16_t>(place)}, hotkey_of(place), Role::kMiner, 0, {}});
    const auto place = [&](std::string_view tag) {
      return tagged_hash(tag, {run_id_.bytes, round_bytes(round)});
    };
    open_.beacon = place("muster/lab-beacon");
    late_beacon_ = place("muster/lab-late-beacon");
    cursor_ = protocol::fit_cursor(cursor_, places_, params_.slice(), params_.sequences);
    open_.epoch = cursor_.epoch;
    open_.cursor = cursor_.position;
    cursor_.position += std::uint64_t{places_} * params_.slice();
    assigned_.clear();
    for (const auto& entry : open_.roster)
      assigned_[entry.uid] =
          assigned_sequences(run_id_, open_, entry.uid, params_.slice(), params_.sequences);
  }

  static std::array<std::uint8_t, 8> round_bytes(Round round) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < 8; ++i)
      bytes[i] = static_cast<std::uint8_t>(round.value >> (8 * i));
    return bytes;
  }

  [[nodiscard]] protocol::Secret secret(std::size_t validator, Round round) const {
    const std::array<std::uint8_t, 1> name{static_cast<std::uint8_t>(validator)};
    return tagged_hash("muster/lab-secret", {run_id_.bytes, round_bytes(round), name}).bytes;
  }

  // What the members that are aggregated have sent.
  [[nodiscard]] RevealedPayloads revealed() const {
    RevealedPayloads payloads;
    for (const std::size_t i : companies_.front().members)
      if (members_[i].delivered()) payloads[members_[i].uid] = members_[i].whole();
    return payloads;
  }
  // Of these the honest ones.
  [[nodiscard]] RevealedPayloads honest_payloads() const {
    auto payloads = revealed();
    std::erase_if(payloads,
                  [this](const auto& payload) { return payload.first.value >= config_.honest; });
    return payloads;
  }

  Status train(Member& member, Round round) {
    member.outcome = OutcomeCode::kMissed;
    member.trained = 0;
    if (!member.conduct->takes_part(round)) return {};
    auto* adversary = dynamic_cast<Adversary*>(member.conduct.get());
    if (adversary != nullptr) {
      adversary->saw_assignment(round, assigned_);
      adversary->peeked(round, honest_payloads());
    }
    protocol::TrainTask task;
    task.round = round;
    task.sequences = member.conduct->sequences(round, assigned_.at(member.uid));
    const std::set<std::uint64_t> different(task.sequences.begin(), task.sequences.end());
    member.trained = static_cast<double>(different.size()) / static_cast<double>(params_.slice());
    const double batch_share = member.attack == nullptr ? 1 : member.attack->training.batch_share;
    task.inner_steps =
        static_cast<std::uint32_t>(task.sequences.size()) /
        static_cast<std::uint32_t>(std::lround(params_.training.batch * batch_share));
    MUSTER_TRY_STATUS(member.loop->train(task, stop_, [](std::uint32_t) {}));
    MUSTER_TRY(auto payload, member.loop->encode(params_.uplink_format(round)));
    member.payload = member.conduct->payload(round, std::move(payload));
    MUSTER_TRY(auto decoded, compression::decode_parts(layout_, member.payload));
    member.norm = compression::norm(decoded.whole);
    member.decoded = std::make_shared<const compression::DecodedPayload>(std::move(decoded));
    member.outcome = member.norm < static_cast<double>(params_.verification.norm_min)
                         ? OutcomeCode::kBelowMinimumNorm
                         : OutcomeCode::kAccepted;
    return {};
  }

  // Nobody judges in round 0, since no secret was promised yet.
  static bool judged(Round round) { return round.value > 0; }

  Status screen(Round round) {
    for (std::size_t v = 0; v < config_.validators; ++v) {
      std::vector<double> cosines(members_.size());
      if (judged(round)) {
        MUSTER_TRY_STATUS(probe_->compute_gradient(
            verify::screening_draw(params_, run_id_, open_, secret(v, round))));
        for (std::size_t i = 0; i < members_.size(); ++i)
          if (members_[i].delivered()) {
            MUSTER_TRY(cosines[i], probe_->gradient_cosine(members_[i].decoded->whole));
          }
      }
      for (Company& company : companies_) {
        company.verdicts[v].clear();
        if (!judged(round)) continue;
        std::vector<verify::Candidate> candidates;
        const auto weight_of = weights_by(standings_in(company, v));
        for (const std::size_t i : company.members) {
          const Member& member = members_[i];
          if (member.delivered())
            candidates.push_back({member.uid, &member.decoded->whole, cosines[i],
                                  weight_of.at(member.uid),
                                  compression::norm(member.decoded->fresh)});
        }
        company.verdicts[v] =
            verify::screen(params_.verification, candidates, last_aggregate_.get()).verdicts;
      }
    }
    return {};
  }

  // What the first company's validators make of it decides, each with the same stake.
  [[nodiscard]] std::map<Uid, protocol::Ruling> rule(Round round) const {
    const Company& company = companies_.front();
    std::map<Uid, protocol::Standing> before;
    for (const std::size_t i : company.members) before[members_[i].uid] = {};
    std::vector<protocol::WeighedScreen> screens;
    for (std::size_t v = 0; judged(round) && v < config_.validators; ++v) {
      const auto standings = standings_in(company, v);
      protocol::WeighedScreen weighed{Uid{static_cast<std::uint16_t>(1000 + v)}, 1, {}};
      for (const auto& [uid, verdict] : company.verdicts[v]) {
        const protocol::Standing& standing = standings.at(uid);
        weighed.screen.entries.push_back({uid, true, 0, verdict, standing.value, standing.proven});
      }
      screens.push_back(std::move(weighed));
    }
    return protocol::tally(before, screens, config_.validators);
  }

  Status seal(Round round) {
    const auto rulings = rule(round);
    std::vector<state::Contribution> contributions;
    std::vector<Member*> contributors;
    std::map<Uid, protocol::Standing> standings;
    for (const auto& [uid, ruling] : rulings) standings[uid] = ruling.standing;
    const auto weight_of = weights_by(standings);
    for (Member& member : members_) member.weight = 0;
    for (const std::size_t i : companies_.front().members) {
      Member& member = members_[i];
      const protocol::Ruling& ruling = rulings.at(member.uid);
      if (member.delivered() && ruling.rejected) continue;
      if (!member.delivered()) continue;
      contributions.push_back(
          {ruling.standing.value, &member.payload, member.norm, weight_of.at(member.uid)});
      contributors.push_back(&member);
    }
    if (contributions.empty()) {  // a null round
      for (Member& member : members_) member.loop->settle(protocol::Settlement::kKept);
      last_aggregate_.reset();
      return {};
    }
    MUSTER_TRY(
        const auto sealed,
        state::seal_aggregate(layout_, contributions, medians_, params_.downlink_format(round),
                              params_.compression.downlink_decay, residual_));
    for (std::size_t i = 0; i < contributors.size(); ++i)
      contributors[i]->weight = sealed.weights[i];
    medians_.push_back(sealed.median_norm);
    if (medians_.size() > 16) medians_.erase(medians_.begin());
    MUSTER_TRY(auto aggregate, compression::decode(layout_, sealed.aggregate));
    last_aggregate_ = std::make_shared<const compression::SparseUpdate>(std::move(aggregate));
    const auto payloads = revealed();
    for (Member& member : members_) {
      member.loop->settle(member.delivered() ? protocol::Settlement::kDelivered
                                             : protocol::Settlement::kMissed);
      member.conduct->saw_aggregate(round, *last_aggregate_);
      if (auto* adversary = dynamic_cast<Adversary*>(member.conduct.get())) {
        auto others = payloads;
        others.erase(member.uid);
        adversary->saw_payloads(round, others);
      }
      MUSTER_TRY_STATUS(member.loop->apply(*last_aggregate_));
    }
    return probe_->apply(*last_aggregate_);
  }

  Status score(Round round) {
    for (std::size_t v = 0; judged(round) && v < config_.validators; ++v) {
      auto task = verify::score_task(params_, run_id_, round, open_, secret(v, round), late_beacon_,
                                     last_aggregate_);
      std::vector<Member*> scored;
      std::map<std::size_t, std::vector<Uid>> drawn;  // by company
      std::set<std::size_t> wanted;
      for (std::size_t c = 0; c < companies_.size(); ++c) {
        drawn[c] = draw(companies_[c], v, round);
        for (const std::size_t i : companies_[c].members)
          if (std::ranges::find(drawn[c], members_[i].uid) != drawn[c].end()) wanted.insert(i);
      }
      for (const std::size_t i : wanted) {
        Member& member = members_[i];
        task.items.push_back({member.uid, member.decoded,
                              verify::own_draw(params_, run_id_, open_, secret(v, round),
                                               late_beacon_, member.uid, params_.slice()),
                              member.weight});
        scored.push_back(&member);
      }
      MUSTER_TRY(auto measurements, verify::score(*probe_, task, stop_));
      if (measurements.size() != scored.size()) return Error{Errc::kCancelled, "stopped"};
      for (std::size_t s = 0; s < scored.size(); ++s)
        scored[s]->measured = std::move(measurements[s]);
      for (std::size_t c = 0; c < companies_.size(); ++c) rate(companies_[c], v, round, drawn[c]);
    }
    return {};
  }

  [[nodiscard]] verify::SealedFacts facts_of(const Company& company, std::size_t validator,
                                             Round round) const {
    verify::SealedFacts facts{round, {}, company.verdicts[validator], {}};
    for (const std::size_t i : company.members)
      facts.outcomes[members_[i].uid] = members_[i].outcome;
    return facts;
  }

  void rate(Company& company, std::size_t validator, Round round, const std::vector<Uid>& drawn) {
    verify::RatingBook& book = company.books[validator];
    auto& drops = company.drops[validator];
    auto facts = facts_of(company, validator, round);
    facts.weights = weights_by(standings_in(company, validator));
    facts.trailing_drop_e6 = protocol::trailing_drop_e6(drops);
    std::vector<verify::Measurement> measurements;
    std::map<Uid, const Member*> member_of;
    for (const std::size_t i : company.members) {
      const Member& member = members_[i];
      member_of[member.uid] = &member;
      if (std::ranges::find(drawn, member.uid) != drawn.end())
        measurements.push_back(*member.measured);
    }
    const auto evaluations = verify::evaluate(params_.verification, facts, measurements);
    if (const auto drop = protocol::median_drop_e6(evaluations, facts.weights))
      drops.push_back(*drop);
    book.take(evaluations);
    for (const auto& evaluation : evaluations) {
      const Member& member = *member_of.at(evaluation.uid);
      const bool measured = evaluation.basis == protocol::Basis::kMeasured;
      if (member.attack == nullptr &&
          (measured || evaluation.basis == protocol::Basis::kRejected)) {
        const HonestTotals one{1, !evaluation.gate_passed};
        company.honest += one;
        if (&company == &companies_.front()) members_[evaluation.uid.value].judged += one;
      }
      if (auto* adversary = dynamic_cast<Adversary*>(member.conduct.get());
          adversary != nullptr && measured)
        adversary->was_measured(round);
      if (validator == 0) company.evaluations[evaluation.uid] = evaluation;
    }
  }

  // Whom a validator measures of a company in the time it has.
  [[nodiscard]] std::vector<Uid> draw(Company& company, std::size_t validator, Round round) const {
    verify::RatingBook& book = company.books[validator];
    std::vector<protocol::RosterEntry> roster;
    for (const std::size_t i : company.members)
      roster.push_back(open_.roster[members_[i].uid.value]);
    book.take_roster(round, roster);
    const auto facts = facts_of(company, validator, round);
    std::vector<verify::Measurable> miners;
    for (const auto& [uid, code] : facts.outcomes)
      if (verify::may_be_measured(facts, uid)) miners.push_back(book.measurable(uid));
    auto order = verify::measuring_order(secret(validator, round), late_beacon_, miners);
    const auto until = [&](std::uint64_t rounds) {
      return std::floor(
          static_cast<double>(rounds * company.members.size()) * config_.measured_share + 1e-9);
    };
    const auto budget = static_cast<std::size_t>(until(round.value) - until(round.value - 1));
    order.resize(std::min(order.size(), budget));
    return order;
  }

  void observe(const Company& company) {
    const verify::RatingBook& book = company.books.front();
    const verify::Ratings& ratings = book.ratings();
    const auto weights = book.weights();
    const verify::Yardstick yardstick = book.yardstick();
    double honest = 0;
    for (std::uint32_t i = 0; i < config_.honest; ++i)
      if (const auto weight = weights.find(members_[i].hotkey); weight != weights.end())
        honest += weight->second / static_cast<double>(config_.honest);
    for (const std::size_t i : company.members) {
      const Member& member = members_[i];
      if (!reports(company, i)) continue;
      Observation seen;
      seen.trained = member.trained;
      if (const auto verdict = company.verdicts.front().find(member.uid);
          verdict != company.verdicts.front().end())
        seen.verdict = verdict->second;
      if (const auto last = company.evaluations.find(member.uid); last != company.evaluations.end())
        seen.evaluation = last->second;
      if (const auto rating = ratings.find(member.hotkey); rating != ratings.end()) {
        seen.mean = rating->second.mean();
        seen.lower_bound = rating->second.lower_bound();
        seen.share = yardstick.share(rating->second);
        seen.weight = weights.at(member.hotkey);
        seen.pay = honest > 0 ? seen.weight / honest : 0;
      }
      report_.miners[i].rounds.push_back(seen);
    }
  }

  void conclude(const Company& company) {
    for (const verify::RatingBook& book : company.books) {
      const auto weights = book.weights();
      for (const std::size_t i : company.members) {
        if (!reports(company, i)) continue;
        const auto weight = weights.find(members_[i].hotkey);
        report_.miners[i].weights.push_back(weight == weights.end() ? std::uint16_t{0}
                                                                    : weight->second);
        report_.miners[i].beside =
            members_[i].attack == nullptr ? members_[i].judged : company.honest;
      }
    }
  }

  const LabConfig& config_;
  const protocol::ProtocolParams& params_;
  const LabModel& model_;
  const std::atomic<bool>& stop_;
  compression::Layout layout_;
  Hash run_id_;
  std::vector<Member> members_;
  std::unique_ptr<protocol::LossProbe> probe_;
  std::vector<Company> companies_;  // the first decides what is aggregated
  std::uint32_t places_ = 0;        // uids of the roster
  protocol::RoundOpen open_;
  std::map<Uid, std::vector<std::uint64_t>> assigned_;  // of the round under way
  Hash late_beacon_;
  protocol::DataCursor cursor_;
  std::vector<float> residual_;
  std::vector<double> medians_;
  std::shared_ptr<const compression::SparseUpdate> last_aggregate_;
  LabReport report_;
};

}  // namespace

Result<LabReport> run_lab(const LabConfig& config, const LabModel& model,
                          const std::atomic<bool>& stop) {
  return Lab(config, model, stop).run();
}

}  // namespace muster::sim
