#include "sim/attacks/lab.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/median.h"
#include "protocol/assignment.h"
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
  [[nodiscard]] bool delivered() const { return outcome == OutcomeCode::kAccepted; }
  [[nodiscard]] std::shared_ptr<const compression::SparseUpdate> whole() const { return {decoded, &decoded->whole}; }
};

// Miners that are judged against each other, and what each validator has made of them.
struct Company {
  std::vector<std::size_t> members;
  std::vector<verify::RatingBook> books;                     // per validator
  std::vector<std::map<Uid, Verdict>> verdicts;              // per validator, of the round under way
  std::vector<std::vector<double>> drops;                    // per validator: median drops of the rounds before
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
      const bool last = round + 1 == params_.rounds;
      if (!last && (round + 1) % config_.held_out_every != 0) continue;
      MUSTER_TRY(const double loss, probe_->held_out_loss());
      report_.held_out.emplace_back(round + 1, loss);
    }
    for (std::size_t v = 0; v < config_.validators; ++v) report_.weights.push_back(final_weights(v));
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
    for (std::uint32_t i = 0; i < config_.honest + config_.attackers.size(); ++i) {
      const bool honest = i < config_.honest;
      const Attack* attack = honest ? nullptr : config_.attackers[i - config_.honest];
      Member member{Uid{static_cast<std::uint16_t>(i)}, hotkey_of(i), attack, nullptr, nullptr, {}, {}, nullptr, 0, 0};
      const AdversaryContext context{layout_, params_.sequences, params_.training.batch,
                                     params_.model_seed * 1000 + i};
      member.conduct = honest ? std::make_shared<miner::Conduct>() : attack->make(context);
      MUSTER_TRY(member.loop, model_.inner_loop(theta, honest ? LocalTraining{} : attack->training));
      members_.push_back(std::move(member));
      report_.miners.push_back({attack, {}});
    }
    std::vector<std::size_t> honest(config_.honest), all(members_.size());
    std::iota(honest.begin(), honest.end(), std::size_t{0});
    std::iota(all.begin(), all.end(), std::size_t{0});
    add_company(config_.aggregated ? all : honest);
    for (std::size_t i = config_.honest; !config_.aggregated && i < members_.size(); ++i) {
      auto with_one = honest;
      with_one.push_back(i);
      add_company(with_one);
    }
    return {};
  }

  void add_company(std::vector<std::size_t> members) {
    companies_.push_back({std::move(members), std::vector<verify::RatingBook>(config_.validators),
                          std::vector<std::map<Uid, Verdict>>(config_.validators),
                          std::vector<std::vector<double>>(config_.validators)});
  }

  [[nodiscard]] std::map<Uid, protocol::Standing> standings_in(const Company& company, std::size_t validator) const {
    const auto rated = company.books[validator].standings();
    std::map<Uid, protocol::Standing> standings;
    for (const std::size_t i : company.members) {
      const auto found = rated.find(members_[i].hotkey);
      standings[members_[i].uid] = found == rated.end() ? protocol::Standing{} : found->second;
    }
    return standings;
  }

  [[nodiscard]] static std::map<Uid, std::uint64_t> weights_by(const std::map<Uid, protocol::Standing>& standings) {
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
    last_evaluation_.clear();
    if (last_aggregate_ != nullptr) MUSTER_TRY_STATUS(score(round));
    for (std::size_t c = 0; c < companies_.size(); ++c) observe(c);
    return {};
  }

  void open(Round round) {
    open_ = {};
    for (const Member& member : members_)
      open_.roster.push_back({member.uid, member.hotkey, Role::kMiner, 0, {}});
    const auto place = [&](std::string_view tag) { return tagged_hash(tag, {run_id_.bytes, round_bytes(round)}); };
    open_.beacon = place("muster/lab-beacon");
    late_beacon_ = place("muster/lab-late-beacon");
    cursor_ = protocol::fit_cursor(cursor_, members_.size(), params_.slice(), params_.sequences);
    open_.epoch = cursor_.epoch;
    open_.cursor = cursor_.position;
    cursor_.position += members_.size() * params_.slice();
  }

  static std::array<std::uint8_t, 8> round_bytes(Round round) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(round.value >> (8 * i));
    return bytes;
  }

  [[nodiscard]] protocol::Secret secret(std::size_t validator, Round round) const {
    const std::array<std::uint8_t, 1> name{static_cast<std::uint8_t>(validator)};
    return tagged_hash("muster/lab-secret", {run_id_.bytes, round_bytes(round), name}).bytes;
  }

  [[nodiscard]] RevealedPayloads revealed(std::size_t first, std::size_t last) const {
    RevealedPayloads payloads;
    for (std::size_t i = first; i < last; ++i)
      if (members_[i].delivered()) payloads[members_[i].uid] = members_[i].whole();
    return payloads;
  }

  Status train(Member& member, Round round) {
    member.outcome = OutcomeCode::kMissed;
    member.trained = 0;
    if (!member.conduct->takes_part(round)) return {};
    auto* adversary = dynamic_cast<Adversary*>(member.conduct.get());
    if (adversary != nullptr) adversary->peeked(round, revealed(0, config_.honest));
    protocol::TrainTask task;
    task.round = round;
    task.sequences = member.conduct->sequences(
        round, assigned_sequences(run_id_, open_, member.uid, params_.slice(), params_.sequences));
    const std::set<std::uint64_t> different(task.sequences.begin(), task.sequences.end());
    member.trained = static_cast<double>(different.size()) / static_cast<double>(params_.slice());
    task.inner_steps = static_cast<std::uint32_t>(task.sequences.size()) / params_.training.batch;
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
      std::map<Uid, double> cosines;
      if (judged(round)) {
        MUSTER_TRY_STATUS(probe_->compute_gradient(
            verify::screening_draw(params_, run_id_, open_, secret(v, round))));
        for (const Member& member : members_)
          if (member.delivered()) cosines[member.uid] = probe_->gradient_cosine(member.decoded->whole);
      }
      for (Company& company : companies_) {
        company.verdicts[v].clear();
        if (!judged(round)) continue;
        std::vector<verify::Candidate> candidates;
        const auto weight_of = weights_by(standings_in(company, v));
        for (const std::size_t i : company.members) {
          const Member& member = members_[i];
          if (member.delivered())
            candidates.push_back({member.uid, &member.decoded->whole, cosines.at(member.uid), weight_of.at(member.uid),
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
      contributions.push_back({ruling.standing.value, &member.payload, member.norm, weight_of.at(member.uid)});
      contributors.push_back(&member);
    }
    if (contributions.empty()) {  // a null round
      for (Member& member : members_) member.loop->settle(protocol::Settlement::kKept);
      last_aggregate_.reset();
      return {};
    }
    MUSTER_TRY(const auto sealed,
               state::seal_aggregate(layout_, contributions, medians_, params_.downlink_format(round),
                                     params_.compression.downlink_decay, residual_));
    for (std::size_t i = 0; i < contributors.size(); ++i) contributors[i]->weight = sealed.weights[i];
    medians_.push_back(sealed.median_norm);
    if (medians_.size() > 16) medians_.erase(medians_.begin());
    MUSTER_TRY(auto aggregate, compression::decode(layout_, sealed.aggregate));
    last_aggregate_ = std::make_shared<const compression::SparseUpdate>(std::move(aggregate));
    const auto payloads = revealed(0, members_.size());
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
      auto task =
          verify::score_task(params_, run_id_, round, open_, secret(v, round), late_beacon_, last_aggregate_);
      for (const Member& member : members_) {
        if (!member.delivered()) continue;
        task.items.push_back({member.uid, member.decoded,
                              verify::own_draw(params_, run_id_, open_, secret(v, round), late_beacon_,
                                               member.uid, params_.slice()),
                              member.weight});
      }
      MUSTER_TRY(const auto measurements, verify::score(*probe_, task, stop_));
      for (Company& company : companies_) rate(company, v, round, measurements);
    }
    return {};
  }

  void rate(Company& company, std::size_t validator, Round round,
            const std::vector<verify::Measurement>& measurements) {
    verify::SealedFacts facts{round, {}, company.verdicts[validator], {}};
    std::vector<protocol::RosterEntry> roster;
    for (const std::size_t i : company.members) {
      facts.outcomes[members_[i].uid] = members_[i].outcome;
      roster.push_back(open_.roster[i]);
    }
    verify::RatingBook& book = company.books[validator];
    book.take_roster(round, roster);
    auto& drops = company.drops[validator];
    facts.weights = weights_by(standings_in(company, validator));
    facts.trailing_drop_e6 = lower_median(drops);
    const auto drawn = draw(book, facts, validator);
    std::vector<verify::Measurement> of_company;
    for (const auto& measured : measurements)
      if (std::ranges::find(drawn, measured.uid) != drawn.end()) of_company.push_back(measured);
    const auto evaluations = verify::evaluate(params_.verification, facts, of_company);
    if (const auto drop = protocol::median_drop_e6(evaluations, facts.weights)) drops.push_back(*drop);
    if (drops.size() > 16) drops.erase(drops.begin());
    book.take(evaluations);
    for (const auto& evaluation : evaluations) {
      Member& member = members_[evaluation.uid.value];
      const bool measured = evaluation.basis == protocol::Basis::kMeasured;
      if (member.attack == nullptr && (measured || evaluation.basis == protocol::Basis::kRejected)) {
        ++report_.honest_judged;
        report_.honest_refused += !evaluation.gate_passed;
      }
      if (auto* adversary = dynamic_cast<Adversary*>(member.conduct.get()); adversary != nullptr && measured)
        adversary->was_measured(round);
      if (validator == 0) last_evaluation_[{&company, evaluation.uid}] = evaluation;
    }
  }

  // Whom a validator that has time for so many measures.
  [[nodiscard]] std::vector<Uid> draw(const verify::RatingBook& book, const verify::SealedFacts& facts,
                                      std::size_t validator) const {
    std::vector<verify::Measurable> miners;
    for (const auto& [uid, code] : facts.outcomes)
      if (verify::may_be_measured(facts, uid)) miners.push_back(book.measurable(uid));
    auto order = verify::measuring_order(secret(validator, facts.round), late_beacon_, miners);
    if (config_.measured_per_round > 0 && order.size() > config_.measured_per_round)
      order.resize(config_.measured_per_round);
    return order;
  }

  // Of each miner in the company where it is alone among the honest ones.
  void observe(std::size_t c) {
    const Company& company = companies_[c];
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
      if (c > 0 && member.attack == nullptr) continue;
      Observation seen;
      seen.trained = member.trained;
      if (const auto verdict = company.verdicts.front().find(member.uid);
          verdict != company.verdicts.front().end())
        seen.verdict = verdict->second;
      if (const auto last = last_evaluation_.find({&company, member.uid}); last != last_evaluation_.end())
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

  [[nodiscard]] std::vector<std::uint16_t> final_weights(std::size_t validator) const {
    std::vector<std::uint16_t> weights(members_.size(), 0);
    for (std::size_t c = 0; c < companies_.size(); ++c) {
      const auto of_company = companies_[c].books[validator].weights();
      for (const std::size_t i : companies_[c].members) {
        if (c > 0 && members_[i].attack == nullptr) continue;
        if (const auto weight = of_company.find(members_[i].hotkey); weight != of_company.end())
          weights[i] = weight->second;
      }
    }
    return weights;
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
  protocol::RoundOpen open_;
  Hash late_beacon_;
  protocol::DataCursor cursor_;
  std::vector<float> residual_;
  std::vector<double> medians_;
  std::shared_ptr<const compression::SparseUpdate> last_aggregate_;
  std::map<std::pair<const Company*, Uid>, protocol::Evaluation> last_evaluation_;  // of the round under way
  LabReport report_;
};

}  // namespace

Result<LabReport> run_lab(const LabConfig& config, const LabModel& model,
                          const std::atomic<bool>& stop) {
  return Lab(config, model, stop).run();
}

}  // namespace muster::sim
