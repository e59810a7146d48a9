// A model, tokens, and what the CPU's training makes of them: what a card's is held to.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "trainer/llama/llama.h"

namespace muster::gpu {

struct LlamaExample {
  state::ModelSpec model;
  std::vector<float> theta;
  std::vector<std::int32_t> tokens;
  std::size_t sequences;

  explicit LlamaExample(const state::ModelSpec& spec, std::size_t sequence_count = 2,
                        std::uint64_t seed = 4)
      : model(spec),
        theta(state::layout_of(spec).parameters()),
        tokens(sequence_count * (spec.context + 1)),
        sequences(sequence_count) {
    state::initial_parameters(model, 11, theta);
    Prng random(seed);
    // Some tokens far more often than others, as in texts.
    for (auto& token : tokens)
      token = static_cast<std::int32_t>(random.chance(0.3) ? random.below(4)
                                                           : random.below(model.vocab));
    // Gains that are not all the same.
    Prng gains(7);
    const auto layout = state::layout_of(model);
    for (const auto& tensor : layout.tensors())
      if (tensor.shape.size() == 1)
        for (std::size_t i = 0; i < tensor.elements; ++i)
          theta[tensor.offset + i] = static_cast<float>(0.5 + gains.uniform());
  }

  struct Outcome {
    double loss = 0;
    std::vector<float> gradient, losses;
  };
  // Of a window of the first sequence, in fp32, on the CPU.
  [[nodiscard]] std::vector<float> window_gradient(std::size_t first, std::size_t end) const {
    Team team(1);
    auto llama = trainer::Llama::make(model, {.compute = trainer::Compute::kFloat32}, team).value();
    std::vector<float> gradient(theta.size());
    llama->add_window_gradient(theta, std::span(tokens).first(model.context + 1), first, end,
                               gradient);
    return gradient;
  }
  // In fp32, on the CPU.
  [[nodiscard]] Outcome expected(float scale = 1) const {
    Team team(1);
    auto llama = trainer::Llama::make(model, {.compute = trainer::Compute::kFloat32}, team).value();
    Outcome outcome{0, std::vector<float>(theta.size()), std::vector<float>(sequences)};
    outcome.loss = llama->add_gradient(theta, tokens, scale, outcome.gradient);
    llama->losses(theta, tokens, outcome.losses);
    return outcome;
  }
};

// ‖a − b‖ / ‖b‖; infinite where a is not finite.
inline double relative_error(std::span<const float> a, std::span<const float> b) {
  double difference = 0, square = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    square += std::pow(static_cast<double>(b[i]), 2);
  }
  const double error = std::sqrt(difference) / std::max(std::sqrt(square), 1e-30);
  return std::isfinite(error) ? error : INFINITY;
}

// Every tensor's gradient.
inline void expect_near_gradient(const state::ModelSpec& model, std::span<const float> gradient,
                                 std::span<const float> expected, double error_max) {
  const auto layout = state::layout_of(model);
  for (const auto& tensor : layout.tensors())
    EXPECT_LE(relative_error(gradient.subspan(tensor.offset, tensor.elements),
                             expected.subspan(tensor.offset, tensor.elements)),
              error_max)
        << tensor.name;
}

// Sizes that no tile divides, shared key/value heads, rows of one part and of several.
inline state::ModelSpec odd_card_model(bool tied) {
  return {.d_model = 96,
          .layers = 2,
          .heads = 3,
          .kv_heads = 1,
          .d_ff = 136,
          .context = 77,
          .vocab = 104,
          .tied = tied,
          .rope_scaling = state::RopeScaling{.factor = 4, .original_context = 32}};
}

}  // namespace muster::gpu
