// Fields that a network's run and a training alone have in common, so that each is defined once.
//
// Thread safety: pure functions.
#pragma once

#include "cli/toml_section.h"
#include "state/model_spec.h"
#include "trainer/device.h"
#include "trainer/llama/llama.h"
#include "trainer/optim/optimizer.h"

namespace muster::cli {

// [model], to its end.
[[nodiscard]] Status read_model(TomlSection section, state::ModelSpec& model);

// "auto", "bf16" or "fp32". Errors: kInvalidArgument, naming these.
[[nodiscard]] Result<trainer::Compute> compute_named(const std::string& name);

// "auto", "own" or "torch". Errors: kInvalidArgument, naming these.
[[nodiscard]] Result<trainer::MatmulChoice> matmul_named(const std::string& name);
// "cpu", "cuda" or "auto". Errors: kInvalidArgument, naming these.
[[nodiscard]] Result<trainer::DeviceChoice> device_named(const std::string& name);
// "adamw" or "muon". Errors: kInvalidArgument, naming these.
[[nodiscard]] Result<trainer::OptimizerKind> optimizer_named(const std::string& name);

// Where the shared fields of [train] go.
template <class Real, class Steps>
struct TrainFields {
  std::uint32_t& batch;
  Real& learning_rate;
  Steps& warmup_steps;
  Real& cosine_to;
  Real& beta1;
  Real& beta2;
  Real& weight_decay;
  bool& decay_vectors;
  Real& gradient_clip;
};

template <class Real, class Steps>
TomlSection& read_train(TomlSection& section, TrainFields<Real, Steps> fields) {
  return section.field("batch", fields.batch)
      .field("learning_rate", fields.learning_rate)
      .field("warmup_steps", fields.warmup_steps)
      .field("cosine_to", fields.cosine_to)
      .field("beta1", fields.beta1)
      .field("beta2", fields.beta2)
      .field("weight_decay", fields.weight_decay)
      .field("decay_vectors", fields.decay_vectors)
      .field("gradient_clip", fields.gradient_clip);
}

}  // namespace muster::cli
