#include "trainer/run/training_config.h"

#include <charconv>
#include <cmath>

namespace muster::trainer {
namespace {

template <class Number>
std::string text_of(Number number) {
  if constexpr (std::is_same_v<Number, bool>) {
    return number ? "true" : "false";
  } else {
    char text[64];
    return {text, std::to_chars(text, text + sizeof(text), number).ptr};
  }
}

Status in_range(const char* field, double value, double low, double high, const char* mend) {
  if (std::isfinite(value) && value >= low && value <= high) return {};
  return Error{Errc::kInvalidArgument, std::string("train.") + field + " is " + text_of(value) +
                                           ", must be from " + text_of(low) + " to " +
                                           text_of(high) + mend};
}

Status validate_optimizer(const OptimizerConfig& optimizer) {
  MUSTER_TRY_STATUS(in_range("beta1", optimizer.beta1, 0, 0.9999999, ""));
  MUSTER_TRY_STATUS(in_range("beta2", optimizer.beta2, 0, 0.9999999, ""));
  MUSTER_TRY_STATUS(in_range("epsilon", optimizer.epsilon, 1e-30, 1, ""));
  MUSTER_TRY_STATUS(in_range("weight_decay", optimizer.weight_decay, 0, 100, ""));
  return in_range("momentum", optimizer.momentum, 0, 0.9999999, "");
}

}  // namespace

Status validate(const TrainingConfig& config) {
  MUSTER_TRY_STATUS(state::validate(config.model));
  MUSTER_TRY_STATUS(validate_optimizer(config.optimizer));
  const Schedule& schedule = config.schedule;
  MUSTER_TRY_STATUS(in_range("steps", static_cast<double>(schedule.total_steps), 1, 1e15,
                             "; give train.steps or train.tokens"));
  MUSTER_TRY_STATUS(in_range("learning_rate", schedule.peak, 1e-12, 100, ""));
  MUSTER_TRY_STATUS(in_range("cosine_to", schedule.cosine_to, 0, 1, ""));
  MUSTER_TRY_STATUS(in_range("decay_to", schedule.decay_to, 0, 1, ""));
  MUSTER_TRY_STATUS(in_range("decay_share", schedule.decay_share, 0, 1, ""));
  if (schedule.warmup_steps > schedule.total_steps)
    return Error{Errc::kInvalidArgument, "train.warmup_steps is " + text_of(schedule.warmup_steps) +
                                             ", but the run has only " +
                                             text_of(schedule.total_steps) +
                                             " steps; warm up for fewer, or train for more"};
  MUSTER_TRY_STATUS(in_range("batch", config.batch, 1, 1 << 20, ""));
  MUSTER_TRY_STATUS(in_range("accumulate", config.accumulate, 1, 1 << 20, ""));
  MUSTER_TRY_STATUS(in_range("gradient_clip", config.gradient_clip, 0, 1e9, "; 0 means none"));
  MUSTER_TRY_STATUS(
      in_range("guard_sd", config.guard.spike_sd, 0, 1e9, "; 0 means that no spike is skipped"));
  MUSTER_TRY_STATUS(in_range("guard_window", config.guard.window, 8, 65536, ""));
  return in_range("skips_max", config.guard.skips_max, 1, 1e9, "");
}

std::vector<Setting> binding_settings(const TrainingConfig& config, const Hash& data_root) {
  const state::ModelSpec& model = config.model;
  const state::RopeScaling rope = model.rope_scaling.value_or(state::RopeScaling{.factor = 1});
  return {{"model.d_model", text_of(model.d_model)},
          {"model.layers", text_of(model.layers)},
          {"model.heads", text_of(model.heads)},
          {"model.kv_heads", text_of(model.kv_heads)},
          {"model.d_ff", text_of(model.d_ff)},
          {"model.context", text_of(model.context)},
          {"model.vocab", text_of(model.vocab)},
          {"model.tied", text_of(model.tied)},
          {"model.rope_theta", text_of(model.rope_theta)},
          {"model.norm_epsilon", text_of(model.norm_epsilon)},
          {"model.rope_factor", text_of(rope.factor)},
          {"model.rope_low_frequency_factor", text_of(rope.low_frequency_factor)},
          {"model.rope_high_frequency_factor", text_of(rope.high_frequency_factor)},
          {"model.rope_original_context", text_of(rope.original_context)},
          {"train.optimizer", name_of(config.optimizer.kind)},
          {"train.seed", text_of(config.seed)},
          {"train.batch", text_of(config.batch)},
          {"train.accumulate", text_of(config.accumulate)},
          {"the data's root", data_root.hex()}};
}

std::vector<Setting> noted_settings(const TrainingConfig& config, const std::string& compute) {
  const Schedule& schedule = config.schedule;
  const OptimizerConfig& optimizer = config.optimizer;
  return {{"train.steps", text_of(schedule.total_steps)},
          {"train.learning_rate", text_of(schedule.peak)},
          {"train.warmup_steps", text_of(schedule.warmup_steps)},
          {"train.schedule", name_of(schedule.shape)},
          {"train.cosine_to", text_of(schedule.cosine_to)},
          {"train.decay_share", text_of(schedule.decay_share)},
          {"train.decay", schedule.decay_form == DecayForm::kLinear ? "linear" : "sqrt"},
          {"train.decay_to", text_of(schedule.decay_to)},
          {"train.beta1", text_of(optimizer.beta1)},
          {"train.beta2", text_of(optimizer.beta2)},
          {"train.epsilon", text_of(optimizer.epsilon)},
          {"train.weight_decay", text_of(optimizer.weight_decay)},
          {"train.decay_vectors", text_of(optimizer.decay_vectors)},
          {"train.momentum", text_of(optimizer.momentum)},
          {"train.gradient_clip", text_of(config.gradient_clip)},
          {"train.guard_sd", text_of(config.guard.spike_sd)},
          {"train.guard_window", text_of(config.guard.window)},
          {"the compute path", compute}};
}

const char* name_of(OptimizerKind kind) { return kind == OptimizerKind::kMuon ? "muon" : "adamw"; }

const char* name_of(ScheduleShape shape) {
  switch (shape) {
    case ScheduleShape::kCosine:
      return "cosine";
    case ScheduleShape::kWsd:
      return "wsd";
    case ScheduleShape::kConstant:
      return "constant";
  }
  MUSTER_UNREACHABLE();
}

}  // namespace muster::trainer
