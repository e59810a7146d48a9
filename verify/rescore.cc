#include "verify/rescore.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/prng.h"
#include "verify/draws.h"
#include "verify/evaluation.h"
#include "verify/quantise.h"
#include "verify/score.h"

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
  for (const Sample& sample : choose(round, report))
    MUSTER_TRY_STATUS(rescore(round, sample, report));
  if (round.aggregate != nullptr) {
    MUSTER_TRY(auto update, compression::decode(round.layout, *round.aggregate));
    MUSTER_TRY_STATUS(probe_.apply(update));
    keep(round, std::make_shared<const compression::SparseUpdate>(std::move(update)));
  } else {
    kept_.reset();  // a null round is nobody's evaluation
  }
  return {};
}

void Rescorer::keep(const AuditedRound& round, std::shared_ptr<const compression::SparseUpdate> aggregate) {
  kept_.emplace();
  kept_->aggregate = std::move(aggregate);
  for (const auto& outcome : round.record.outcomes) kept_->weights[outcome.uid] = outcome.weight;
  kept_->round = round.position.round;
  kept_->open = round.open;
  kept_->late_beacon = late_beacon(round.manifest);
  kept_->payloads_known = round.payloads_known;
  for (const auto& [uid, payload] : round.payloads)
    if (round.payloads_known && payload.code == protocol::OutcomeCode::kAccepted)
      kept_->payloads[uid] = payload.payload;
  for (const auto& [uid, commit] : round.commits)
    kept_->sequences_used[uid] = commit.message.sequences_used;
  for (const AuditedScreen& screen : round.screens)
    if (screen.promised) kept_->secrets[screen.hotkey] = screen.screen.secret;
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

std::vector<Rescorer::Sample> Rescorer::choose(const AuditedRound& round,
                                               AuditReport& report) const {
  std::vector<Sample> measured;
  for (const AuditedScreen& screen : round.screens) {
    for (const Evaluation& evaluation : screen.screen.evaluations) {
      if (evaluation.basis != Basis::kMeasured) continue;
      const bool possible = kept_ && evaluation.round == kept_->round &&
                            kept_->payloads.contains(evaluation.uid) &&
                            kept_->secrets.contains(screen.hotkey);
      if (possible) measured.push_back({&screen, &evaluation});
      if (!possible && options_.samples == 0) report.skip(Check::kRescored);
    }
  }
  ByteWriter place;
  place.write(options_.seed);
  place.write(round.position.round.value);
  Prng random(tagged_hash("muster/rescore", place.bytes()));
  auto chosen =
      sample_distinct(random, measured.size(), share_of(round.position.round, measured.size()));
  std::sort(chosen.begin(), chosen.end());
  std::vector<Sample> samples;
  for (const std::uint64_t index : chosen) samples.push_back(measured[index]);
  return samples;
}

Status Rescorer::rescore(const AuditedRound& round, const Sample& sample, AuditReport& report) {
  const auto& [screen, evaluation] = sample;
  const Uid uid = evaluation->uid;
  const Hash& run_id = round.position.run_id;
  const protocol::Secret& secret = kept_->secrets.at(screen->hotkey);
  MUSTER_TRY(auto payload, compression::decode_parts(round.layout, kept_->payloads.at(uid)));
  ScoreTask task;
  task.round = kept_->round;
  task.probe_step =
      round.params.verification.probe_step * round.params.compression.outer_learning_rate;
  task.shared_sequences =
      shared_draw(round.params, run_id, kept_->open, secret, kept_->late_beacon);
  task.context = round.params.model.context;
  task.window_seed = window_seed(secret, kept_->late_beacon);
  task.aggregate = kept_->aggregate;
  task.items.push_back({uid, std::make_shared<const compression::DecodedPayload>(std::move(payload)),
                        own_draw(round.params, run_id, kept_->open, secret, kept_->late_beacon, uid,
                                 kept_->sequences_used.at(uid)),
                        kept_->weights[uid]});
  const std::atomic<bool> never{false};
  MUSTER_TRY(const auto measured, score(probe_, task, never));
  const Score ours{quantised(measured.front().score),
                   quantise<std::int32_t>(measured.front().relative_drop, 1e6),
                   quantise<std::int32_t>(measured.front().drop_error, 1e6)};
  const Score signed_one{evaluation->scores, evaluation->drop_e6, evaluation->drop_error_e6};
  const std::string& theirs = screen->screen.platform_class;
  const bool same_class = theirs == probe_.platform_class();
  if (signed_one == ours || (!same_class && is_close(signed_one, ours))) {
    ++(same_class ? exact_ : within_);
    report.hold(Check::kRescored);
    return {};
  }
  report.fail({Check::kRescored, round.position.round,
               Signer{screen->hotkey, Role::kValidator, screen->uid, screen->stake},
               "Screen: score of uid " + std::to_string(uid.value) + " in round " +
                   std::to_string(kept_->round.value) +
                   (same_class ? "" : ", beyond what another platform class explains"),
               text_of(ours, probe_.platform_class()), text_of(signed_one, theirs)});
  return {};
}

}  // namespace muster::verify
