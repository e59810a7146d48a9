#include "verify/rescore.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/prng.h"
#include "verify/draws.h"
#include "verify/quantise.h"
#include "verify/score.h"

namespace muster::verify {

using protocol::Basis;
using protocol::Evaluation;

namespace {

struct Score {
  std::int16_t z_e2 = 0;
  std::int32_t drop_e6 = 0;
  std::int32_t drop_error_e6 = 0;
  bool operator==(const Score&) const = default;
};

std::string text_of(const Score& score, const std::string& platform_class) {
  return "z " + std::to_string(score.z_e2) + "/100, drop " + std::to_string(score.drop_e6) + " ± " +
         std::to_string(score.drop_error_e6) + "/10⁶ (" + platform_class + ")";
}

bool is_close(std::int32_t a, std::int32_t b) {
  const double allowed =
      kScoreTolerance.drop_e6 + kScoreTolerance.drop_share * std::abs(static_cast<double>(b));
  return std::abs(static_cast<double>(a) - b) <= allowed;
}

bool is_close(const Score& a, const Score& b) {
  return std::abs(a.z_e2 - b.z_e2) <= kScoreTolerance.z_e2 && is_close(a.drop_e6, b.drop_e6) &&
         is_close(a.drop_error_e6, b.drop_error_e6);
}

}  // namespace

Status Rescorer::take(const AuditedRound& round, AuditReport& report) {
  for (const Sample& sample : choose(round, report))
    MUSTER_TRY_STATUS(rescore(round, sample, report));
  if (round.aggregate != nullptr) {
    MUSTER_TRY(const auto update, compression::decode(round.layout, *round.aggregate));
    MUSTER_TRY_STATUS(probe_.apply(update));
  }
  keep(round);
  return {};
}

void Rescorer::keep(const AuditedRound& round) {
  kept_.emplace();
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
  if (!kept_) return measured;
  for (const AuditedScreen& screen : round.screens) {
    for (const Evaluation& evaluation : screen.screen.evaluations) {
      if (evaluation.basis != Basis::kMeasured) continue;
      const bool possible = evaluation.round == kept_->round &&
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
  task.items.push_back({uid, std::make_shared<const compression::DecodedPayload>(std::move(payload)),
                        own_draw(round.params, run_id, kept_->open, secret, kept_->late_beacon, uid,
                                 kept_->sequences_used.at(uid))});
  const std::atomic<bool> never{false};
  MUSTER_TRY(const auto measured, score(probe_, task, never));
  const Score ours{quantise<std::int16_t>(measured.front().z, 100),
                   quantise<std::int32_t>(measured.front().relative_drop, 1e6),
                   quantise<std::int32_t>(measured.front().drop_error, 1e6)};
  const Score signed_one{evaluation->z_e2, evaluation->drop_e6, evaluation->drop_error_e6};
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
