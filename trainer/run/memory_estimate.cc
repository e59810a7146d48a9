#include "trainer/run/memory_estimate.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "trainer/llama/head_rows.h"
#include "trainer/llama/shape.h"

namespace muster::trainer {
namespace {

constexpr std::uint64_t kFloatBytes = sizeof(float);

// As trainer/llama/activations.h keeps them: D is the width, W that of q, k and v together, F of
// the feed-forward.
std::uint64_t activation_bytes(const Shape& shape, std::uint64_t tokens, bool recompute,
                               std::uint64_t stored) {
  const std::uint64_t D = shape.width, W = shape.qkv_width(), F = shape.feed_forward;
  const std::uint64_t kept_layers = recompute ? 1 : shape.layers;
  const std::uint64_t layer = kFloatBytes * (D + shape.heads + 2) + stored * (W + D + 2 * F);
  const std::uint64_t shared = kFloatBytes * (2 * D + 2) + stored * (3 * D + F);
  return tokens * (kept_layers * layer + kFloatBytes * (shape.layers + 1) * D + shared);
}

// As trainer/llama/output_head.h makes them, and weights packed in both directions.
std::uint64_t head_bytes(const Shape& shape, std::uint64_t tokens, std::uint64_t stored) {
  const std::uint64_t V = shape.vocab;
  const std::uint64_t largest = std::max(V, 2 * std::uint64_t{shape.feed_forward}) * shape.width;
  return V * (logit_rows(V, tokens) * kFloatBytes + gradient_rows(V, tokens, stored) * stored) +
         2 * largest * stored;
}

}  // namespace

MemoryEstimate estimate_memory(const TrainingConfig& config, bool recompute, bool stored_bf16) {
  const auto layout = state::layout_of(config.model);
  const Shape shape(config.model);
  const std::uint64_t stored = stored_bf16 ? 2 : 4;
  const std::uint64_t tokens = std::uint64_t{config.batch} * config.model.context;
  MemoryEstimate estimate;
  estimate.parameters = 2 * kFloatBytes * layout.parameters();
  estimate.optimizer = kFloatBytes * optimizer_floats(config.optimizer.kind, layout);
  estimate.checkpoint = kFloatBytes * layout.parameters() + estimate.optimizer;
  estimate.activations =
      activation_bytes(shape, tokens, recompute, stored) + head_bytes(shape, tokens, stored);
  return estimate;
}

Status check_memory(const MemoryEstimate& estimate, std::uint64_t available) {
  if (estimate.total() <= available) return {};
  const auto mb = [](std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  char text[400];
  std::snprintf(
      text, sizeof(text),
      "training needs about %.0f MB: %.0f for parameters and gradient, %.0f for the optimizer, "
      "%.0f for "
      "checkpoints, %.0f for the activations of a batch; %.0f MB are free. Take a smaller "
      "train.batch (and a larger "
      "train.accumulate where there is one), recompute activations, or take a smaller model",
      mb(estimate.total()), mb(estimate.parameters), mb(estimate.optimizer),
      mb(estimate.checkpoint), mb(estimate.activations), mb(available));
  return Error{Errc::kNoSpace, text};
}

}  // namespace muster::trainer
