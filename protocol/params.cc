#include "protocol/params.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "wire/codec.h"

namespace muster::protocol {
namespace {

std::uint32_t keep_at(const std::vector<DensityStage>& schedule, Round round) {
  std::uint64_t left = round.value;
  for (const DensityStage& stage : schedule) {
    if (left < stage.rounds) return stage.keep;
    left -= stage.rounds;
  }
  return schedule.back().keep;
}

Status in_range(const char* field, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return {};
  return Error{Errc::kInvalidArgument, std::string(field) + " is " + std::to_string(value) +
                                           ", must be from " + std::to_string(low) + " to " +
                                           std::to_string(high)};
}

Status validate_training(const TrainingParams& p) {
  MUSTER_TRY_STATUS(in_range("train.inner_steps", p.inner_steps, 1, 100'000));
  MUSTER_TRY_STATUS(in_range("train.batch", p.batch, 1, 65'536));
  MUSTER_TRY_STATUS(in_range("train.learning_rate", p.learning_rate, 0, 10));
  MUSTER_TRY_STATUS(in_range("train.cosine_to", p.cosine_to, 0, 1));
  MUSTER_TRY_STATUS(in_range("train.beta1", p.beta1, 0, 0.9999));
  MUSTER_TRY_STATUS(in_range("train.beta2", p.beta2, 0, 0.99999));
  MUSTER_TRY_STATUS(in_range("train.weight_decay", p.weight_decay, 0, 10));
  return in_range("train.gradient_clip", p.gradient_clip, 0, 1e6);
}

Status validate_compression(const CompressionParams& p) {
  if (p.schedule.empty())
    return Error{Errc::kInvalidArgument, "compression.schedule is empty; give at least one stage"};
  for (const DensityStage& stage : p.schedule)
    MUSTER_TRY_STATUS(
        in_range("compression.schedule keep", stage.keep, 1, compression::kBlockElements));
  MUSTER_TRY_STATUS(compression::check_format({1, p.values}));
  MUSTER_TRY_STATUS(compression::check_format({1, p.downlink_values}));
  MUSTER_TRY_STATUS(in_range("compression.error_feedback_decay", p.error_feedback_decay, 0, 1));
  MUSTER_TRY_STATUS(in_range("compression.downlink_factor", p.downlink_factor, 1, 4096));
  MUSTER_TRY_STATUS(in_range("compression.downlink_decay", p.downlink_decay, 0, 1));
  return in_range("compression.outer_learning_rate", p.outer_learning_rate, 1e-6, 10);
}

Status validate_verification(const VerificationParams& p) {
  MUSTER_TRY_STATUS(in_range("verify.screen_sequences", p.screen_sequences, 1, 4096));
  MUSTER_TRY_STATUS(in_range("verify.own_sequences", p.own_sequences, 4, 4096));
  MUSTER_TRY_STATUS(in_range("verify.shared_sequences", p.shared_sequences, 4, 4096));
  MUSTER_TRY_STATUS(in_range("verify.probe_step", p.probe_step, 1e-6, 10));
  MUSTER_TRY_STATUS(in_range("verify.cosine_gate", p.cosine_gate, 0, 1));
  MUSTER_TRY_STATUS(in_range("verify.drop_gate", p.drop_gate, 0, 1));
  MUSTER_TRY_STATUS(in_range("verify.sealed_rounds", p.sealed_rounds, 0,
                             static_cast<double>(limits::kSealedRoundsMax)));
  return in_range("verify.replay_cosine", p.replay_cosine, 0, 1);
}

Status validate_timing(const TimingParams& p) {
  constexpr double kDay = 86'400'000;
  MUSTER_TRY_STATUS(in_range("timing.train_ms", p.train_ms, 100, kDay));
  MUSTER_TRY_STATUS(in_range("timing.reveal_ms", p.reveal_ms, 100, kDay));
  MUSTER_TRY_STATUS(in_range("timing.screen_ms", p.screen_ms, 100, kDay));
  MUSTER_TRY_STATUS(in_range("timing.gather_ms", p.gather_ms, 100, kDay));
  MUSTER_TRY_STATUS(in_range("timing.grace_max_ms", p.grace_max_ms, p.grace_min_ms, kDay));
  MUSTER_TRY_STATUS(in_range("timing.pause_max_ms", p.pause_max_ms, p.pause_ms, kDay));
  MUSTER_TRY_STATUS(in_range("timing.quorum_percent", p.quorum_percent, 1, 100));
  return in_range("timing.miners_min", p.miners_min, 1, static_cast<double>(limits::kRosterMax));
}

}  // namespace

compression::PayloadFormat ProtocolParams::uplink_format(Round round) const {
  return two_part_format(keep_at(compression.schedule, round), compression.values);
}

compression::PayloadFormat ProtocolParams::downlink_format(Round round) const {
  const std::uint64_t keep =
      std::uint64_t{keep_at(compression.schedule, round)} * compression.downlink_factor;
  return {static_cast<std::uint32_t>(std::min<std::uint64_t>(keep, compression::kBlockElements)),
          compression.downlink_values};
}

Status validate(const ProtocolParams& params) {
  if (params.name.empty() || params.name.size() > 64)
    return Error{Errc::kInvalidArgument, "run.name must have 1 to 64 characters"};
  MUSTER_TRY_STATUS(state::validate(params.model));
  MUSTER_TRY_STATUS(validate_training(params.training));
  MUSTER_TRY_STATUS(validate_compression(params.compression));
  MUSTER_TRY_STATUS(validate_verification(params.verification));
  MUSTER_TRY_STATUS(validate_timing(params.timing));
  const std::uint64_t drawn = std::uint64_t{params.verification.screen_sequences} +
                              params.verification.shared_sequences + params.slice();
  if (params.sequences / 50 < drawn) {
    return Error{Errc::kInvalidArgument,
                 "data: " + std::to_string(params.sequences) +
                     " sequences are too few; a fiftieth " +
                     "of them must hold one slice and the validators' draws (" +
                     std::to_string(drawn) + ")"};
  }
  return {};
}

Hash run_id_of(const ProtocolParams& params) {
  return tagged_hash("muster/run-id", wire::encode(params));
}

}  // namespace muster::protocol
