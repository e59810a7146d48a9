#include "verify/rescore.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/prng.h"
#include "protocol/assessment.h"
#include "verify/draws.h"
#include "verify/evaluation.h"
#include "verify/quantise.h"

namespace muster::verify {

using protocol::Basis;
using protocol::Evaluation;

namespace {

struct Score {
  protocol::Scores parts;
  std::int32_t drop_e6 = 0;
  std::int32_t drop_error_e6 = 0;
  bool operator==(const Score&) const = default;
};

std::string text_of(const Score& score, const std::string& platform_class) {
  return "score " + scores_text(score.parts) + ", drop " + std::to_string(score.drop_e6) + " ± " +
         std::to_string(score.drop_error_e6) + "/10⁶ (" + platform_class + ")";
}

bool is_close(std::int16_t a, std::int16_t b) { return std::abs(a - b) <= kScoreTolerance.score_e3; }

bool is_close(std::int32_t a, std::int32_t b) {
  const double allowed =
      kScoreTolerance.drop_e6 + kScoreTolerance.drop_share * std::abs(static_cast<double>(b));
  return std::abs(static_cast<double>(a) - b) <= allowed;
}

bool is_close(const Score& a, const Score& b) {
  const auto close = [](std::int16_t x, std::int16_t y) { return is_close(x, y); };
  return is_close(a.parts.all_e3, b.parts.all_e3) &&
         std::ranges::equal(a.parts.quarters_e3, b.parts.quarters_e3, close) &&
         std::ranges::equal(a.parts.groups_e3, b.parts.groups_e3, close) && is_close(a.drop_e6, b.drop_e6) &&
         is_close(a.drop_error_e6, b.drop_error_e6);
}

}  // namespace

Status Rescorer::take(const AuditedRound& round, AuditReport& report) {
  take_opened(round, report);
  std::shared_ptr<const compression::SparseUpdate> aggregate;
  if (round.aggregate != nullptr) {
    MUSTER_TRY(auto update, compression::decode(round.layout, *round.aggregate));
    aggregate = std::make_shared<const compression::SparseUpdate>(std::move(update));
  }
  // Evaluations of a round are in the next one's assessment.
  while (!kept_.empty() && protocol::opened_in(round.params, kept_.front().round.next()) <= round.position.round)
    MUSTER_TRY_STATUS(rescore_front(round, report));
  keep(round, std::move(aggregate));
  return {};
}

void Rescorer::take_opened(const AuditedRound& round, AuditReport& report) {
  for (const AuditedScreen& screen : round.screens) {
    for (const protocol::Assessment& opened : screen.screen.opened) {
      for (const Evaluation& evaluation : opened.evaluations) {
        if (evaluation.basis != Basis::kMeasured) continue;
        if (!kept_.empty() && evaluation.round >= kept_.front().round && evaluation.round < round.position.round) {
          opened_[evaluation.round].push_back({{screen.hotkey, Role::kValidator, screen.uid, screen.stake},
                                               round.position.round, evaluation, opened.platform_class});
        } else if (options_.samples == 0) {
          report.skip(Check::kRescored);
        }
      }
    }
  }
}

Status Rescorer::rescore_front(const AuditedRound& round, AuditReport& report) {
  const Kept kept = std::move(kept_.front());
  kept_.pop_front();
  if (kept.aggregate != nullptr) MUSTER_TRY_STATUS(probe_.apply(*kept.aggregate));
  std::map<PublicKey, std::vector<Opened>> samples;
  for (Opened& sample : choose(kept, report)) samples[sample.signer.hotkey].push_back(std::move(sample));
  opened_.erase(kept.round);
  for (const auto& [validator, of_validator] : samples)
    MUSTER_TRY_STATUS(rescore(round, kept, of_validator, report));
  return {};
}

void Rescorer::keep(const AuditedRound& round, std::shared_ptr<const compression::SparseUpdate> aggregate) {
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
    const bool possible = kept.aggregate != nullptr && kept.payloads.contains(opened.evaluation.uid) &&
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

Status Rescorer::rescore(const AuditedRound& round, const Kept& kept, const std::vector<Opened>& samples,
                         AuditReport& report) {
  const Hash& run_id = round.position.run_id;
  const protocol::Secret& secret = kept.secrets.at(samples.front().signer.hotkey);
  ScoreTask task =
      score_task(round.params, run_id, kept.round, kept.open, secret, kept.late_beacon, kept.aggregate);
  for (const Opened& sample : samples) {
    const Uid uid = sample.evaluation.uid;
    MUSTER_TRY(auto payload, compression::decode_parts(round.layout, kept.payloads.at(uid)));
    task.items.push_back({uid, std::make_shared<const compression::DecodedPayload>(std::move(payload)),
                          own_draw(round.params, run_id, kept.open, secret, kept.late_beacon, uid,
                                   kept.sequences_used.at(uid)),
                          kept.weights.contains(uid) ? kept.weights.at(uid) : 0});
  }
  const std::atomic<bool> never{false};
  MUSTER_TRY(const auto measured, score(probe_, task, never));
  for (std::size_t i = 0; i < samples.size(); ++i) compare(kept, samples[i], measured[i], report);
  return {};
}

void Rescorer::compare(const Kept& kept, const Opened& sample, const Measurement& measured, AuditReport& report) {
  const Evaluation& evaluation = sample.evaluation;
  const Score ours{quantised(measured.score), quantise<std::int32_t>(measured.relative_drop, 1e6),
                   quantise<std::int32_t>(measured.drop_error, 1e6)};
  const Score signed_one{evaluation.scores, evaluation.drop_e6, evaluation.drop_error_e6};
  const bool same_class = sample.platform_class == probe_.platform_class();
  if (signed_one == ours || (!same_class && is_close(signed_one, ours))) {
    ++(same_class ? exact_ : within_);
    return report.hold(Check::kRescored);
  }
  report.fail({Check::kRescored, sample.in, sample.signer,
               "Screen: score of uid " + std::to_string(evaluation.uid.value) + " in round " +
                   std::to_string(kept.round.value) +
                   (same_class ? "" : ", beyond what another platform class explains"),
               text_of(ours, probe_.platform_class()), text_of(signed_one, sample.platform_class)});
}

}  // namespace muster::verify
