#include "verify/rescore.h"

#include <algorithm>

#include "base/prng.h"
#include "protocol/assessment.h"
#include "verify/draws.h"
#include "verify/evaluation.h"

namespace muster::verify {

using protocol::Basis;
using protocol::Evaluation;

namespace {

std::string text_of(const Evaluation& score, const std::string& platform_class) {
  return "score " + scores_text(score.scores) + ", drop " + std::to_string(score.drop_e6) + " ± " +
         std::to_string(score.drop_error_e6) + "/10⁶ (" + platform_class + ")";
}

}  // namespace

Status Rescorer::take(const AuditedRound& round, AuditReport& report) {
  take_opened(round, report);
  check_reviews(round, report);
  std::shared_ptr<const compression::SparseUpdate> aggregate;
  if (round.aggregate != nullptr) {
    MUSTER_TRY(auto update, compression::decode(round.layout, *round.aggregate));
    aggregate = std::make_shared<const compression::SparseUpdate>(std::move(update));
  }
  // Evaluations of a round are in the next one's assessment.
  while (!kept_.empty() &&
         protocol::opened_in(round.params, kept_.front().round.next()) <= round.position.round)
    MUSTER_TRY_STATUS(rescore_front(round, report));
  keep(round, std::move(aggregate));
  return {};
}

void Rescorer::take_opened(const AuditedRound& round, AuditReport& report) {
  for (const AuditedScreen& screen : round.screens) {
    for (const protocol::Assessment& opened : screen.screen.opened) {
      for (const Evaluation& evaluation : opened.evaluations) {
        if (evaluation.basis != Basis::kMeasured) continue;
        if (!kept_.empty() && evaluation.round >= kept_.front().round &&
            evaluation.round < round.position.round) {
          opened_[evaluation.round].push_back(
              {{screen.hotkey, Role::kValidator, screen.uid, screen.stake},
               round.position.round,
               evaluation,
               opened.platform_class});
        } else if (options_.samples == 0) {
          report.skip(Check::kRescored);
        }
      }
    }
  }
}

void Rescorer::check_reviews(const AuditedRound& round, AuditReport& report) const {
  for (const AuditedScreen& screen : round.screens) {
    for (const protocol::Review& review : screen.screen.reviews) {
      const auto held = held_.find({review.round, review.validator, review.miner});
      if (held == held_.end()) {
        if (options_.samples == 0) report.skip(Check::kReviews);
      } else if (held->second != review.contradicts) {
        report.hold(Check::kReviews);
      } else {
        report.fail({Check::kReviews, round.position.round,
                     Signer{screen.hotkey, Role::kValidator, screen.uid, screen.stake},
                     std::string("Screen: ") + (review.contradicts ? "contradicts" : "confirms") +
                         " the evaluation by " + review.validator.brief() + " of uid " +
                         std::to_string(review.miner.value) + " in round " +
                         std::to_string(review.round.value) + ", which " +
                         (held->second ? "is right" : "is made up")});
      }
    }
  }
}

Status Rescorer::rescore_front(const AuditedRound& round, AuditReport& report) {
  const Kept kept = std::move(kept_.front());
  kept_.pop_front();
  if (kept.aggregate != nullptr) MUSTER_TRY_STATUS(probe_.apply(*kept.aggregate));
  std::map<PublicKey, std::vector<Opened>> samples;
  for (Opened& sample : choose(kept, report))
    samples[sample.signer.hotkey].push_back(std::move(sample));
  opened_.erase(kept.round);
  for (const auto& [validator, of_validator] : samples)
    MUSTER_TRY_STATUS(rescore(round, kept, of_validator, report));
  return {};
}

void Rescorer::keep(const AuditedRound& round,
                    std::shared_ptr<const compression::SparseUpdate> aggregate) {
  Kept& kept = kept_.emplace_back();
  kept.aggregate = std::move(aggregate);
  for (const auto& outcome : round.record.outcomes) kept.weights[outcome.uid] = outcome.weight;
  kept.round = round.position.round;
  kept.open = round.open;
  kept.late_beacon = late_beacon(round.manifest);
  for (const auto& [uid, payload] : round.payloads)
    if (round.payloads_known && payload.code == protocol::OutcomeCode::kAccepted)
      kept.payloads[uid] = payload.payload;
  for (const auto& [uid, commit] : round.commits)
    kept.sequences_used[uid] = commit.message.sequences_used;
  for (const AuditedScreen& screen : round.screens)
    if (screen.promised) kept.secrets[screen.hotkey] = screen.screen.secret;
}

// How many of `available` the samples' even spread over the run's rounds leaves for this one.
std::uint64_t Rescorer::share_of(Round round, std::size_t available) const {
  if (options_.samples == 0) return available;
  const std::uint64_t rounds = std::max<std::uint64_t>(1, options_.rounds_expected);
  const auto up_to = [&](std::uint64_t r) {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(options_.samples) *
                                      std::min(r, rounds) / rounds);
  };
  return std::min<std::uint64_t>(available, up_to(round.value + 1) - up_to(round.value));
}

std::vector<Rescorer::Opened> Rescorer::choose(const Kept& kept, AuditReport& report) {
  std::vector<Opened> measured;
  for (Opened& opened : opened_[kept.round]) {
    const bool possible = kept.aggregate != nullptr &&
                          kept.payloads.contains(opened.evaluation.uid) &&
                          kept.secrets.contains(opened.signer.hotkey);
    if (possible) measured.push_back(std::move(opened));
    if (!possible && options_.samples == 0) report.skip(Check::kRescored);
  }
  ByteWriter place;
  place.write(options_.seed);
  place.write(kept.round.value);
  Prng random(tagged_hash("muster/rescore", place.bytes()));
  auto chosen = sample_distinct(random, measured.size(), share_of(kept.round, measured.size()));
  std::sort(chosen.begin(), chosen.end());
  std::vector<Opened> samples;
  for (const std::uint64_t index : chosen) samples.push_back(measured[index]);
  return samples;
}

Status Rescorer::rescore(const AuditedRound& round, const Kept& kept,
                         const std::vector<Opened>& samples, AuditReport& report) {
  const Hash& run_id = round.position.run_id;
  const protocol::Secret& secret = kept.secrets.at(samples.front().signer.hotkey);
  ScoreTask task = score_task(round.params, run_id, kept.round, kept.open, secret, kept.late_beacon,
                              kept.aggregate);
  for (const Opened& sample : samples) {
    const Uid uid = sample.evaluation.uid;
    MUSTER_TRY(auto payload, compression::decode_parts(round.layout, kept.payloads.at(uid)));
    task.items.push_back({uid,
                          std::make_shared<const compression::DecodedPayload>(std::move(payload)),
                          own_draw(round.params, run_id, kept.open, secret, kept.late_beacon, uid,
                                   kept.sequences_used.at(uid)),
                          kept.weights.contains(uid) ? kept.weights.at(uid) : 0});
  }
  const std::atomic<bool> never{false};
  MUSTER_TRY(const auto measured, score(probe_, task, never));
  for (std::size_t i = 0; i < samples.size(); ++i) compare(kept, samples[i], measured[i], report);
  return {};
}

void Rescorer::compare(const Kept& kept, const Opened& sample, const Measurement& measured,
                       AuditReport& report) {
  const Evaluation& evaluation = sample.evaluation;
  const std::string platform_class = probe_.platform_class();
  const Evaluation ours = evaluation_of(kept.round, measured);
  const Agreement agreement =
      verify::compare(evaluation, sample.platform_class, ours, platform_class);
  while (!held_.empty() &&
         std::get<Round>(held_.begin()->first).value + kReviewedRounds < kept.round.value)
    held_.erase(held_.begin());
  held_[{kept.round, sample.signer.hotkey, evaluation.uid}] = agreement != Agreement::kNone;
  if (agreement != Agreement::kNone) {
    ++(agreement == Agreement::kExact ? exact_ : within_);
    return report.hold(Check::kRescored);
  }
  const bool same_class = sample.platform_class == platform_class;
  report.fail({Check::kRescored, sample.in, sample.signer,
               "Screen: score of uid " + std::to_string(evaluation.uid.value) + " in round " +
                   std::to_string(kept.round.value) +
                   (same_class ? "" : ", beyond what another platform class explains"),
               text_of(ours, platform_class), text_of(evaluation, sample.platform_class)});
}

}  // namespace muster::verify
