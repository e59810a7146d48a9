#include "trainer/optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/parallel.h"

namespace muster::trainer {
namespace {

constexpr std::uint64_t kChunkElements = 65536;  // of four arrays: 1 MiB, within a core's second-level cache

struct Factors {
  float gradient_scale, keep, first_gain, beta2, second_gain, step_size, root_correction, epsilon;
};

void update(float* __restrict theta, const float* __restrict gradient, float* __restrict first,
            float* __restrict second, std::size_t count, const Factors& f) {
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * f.gradient_scale;
    first[i] += f.first_gain * (g - first[i]);
    second[i] = f.beta2 * second[i] + f.second_gain * (g * g);
    const float denominator = std::sqrt(second[i]) / f.root_correction + f.epsilon;
    theta[i] = theta[i] * f.keep - f.step_size * (first[i] / denominator);
  }
}

}  // namespace

std::vector<Piece> pieces_of(const compression::Layout& layout, bool decay_vectors) {
  std::vector<Piece> pieces;
  for (const compression::Tensor& tensor : layout.tensors()) {
    const bool decays = decay_vectors || tensor.shape.size() > 1;
    if (pieces.empty() || pieces.back().decays != decays)
      pieces.push_back({tensor.offset, 0, decays});
    pieces.back().elements += tensor.elements;
  }
  return pieces;
}

AdamW::AdamW(const OptimizerConfig& config, const std::vector<Piece>& pieces, unsigned threads)
    : config_(config), threads_(threads) {
  std::uint64_t total = 0;
  for (const Piece& piece : pieces) {
    for (std::uint64_t begin = 0; begin < piece.elements; begin += kChunkElements)
      chunks_.push_back({piece.offset + begin, total + begin,
                         std::min(kChunkElements, piece.elements - begin), piece.decays});
    total += piece.elements;
  }
  first_.resize(total);
  second_.resize(total);
}

void AdamW::step(std::span<float> theta, std::span<const float> gradient, double learning_rate,
                 float gradient_scale) {
  MUSTER_CHECK(theta.size() == gradient.size(), "gradient of another model");
  ++steps_;
  const auto t = static_cast<double>(steps_);
  Factors factors{
      .gradient_scale = gradient_scale,
      .keep = 1,
      .first_gain = static_cast<float>(1 - config_.beta1),
      .beta2 = static_cast<float>(config_.beta2),
      .second_gain = static_cast<float>(1 - config_.beta2),
      .step_size = static_cast<float>(learning_rate / (1 - std::pow(config_.beta1, t))),
      .root_correction = static_cast<float>(std::sqrt(1 - std::pow(config_.beta2, t))),
      .epsilon = static_cast<float>(config_.epsilon)};
  const auto keep = static_cast<float>(1 - learning_rate * config_.weight_decay);
  const Status done = parallel_for(chunks_.size(), threads_, [&] {
    return [&, f = factors](std::size_t job) mutable -> Status {
      const Chunk& chunk = chunks_[job];
      f.keep = chunk.decays ? keep : 1.0f;
      update(theta.data() + chunk.theta_offset, gradient.data() + chunk.theta_offset,
             first_.data() + chunk.state_offset, second_.data() + chunk.state_offset,
             chunk.elements, f);
      return {};
    };
  });
  MUSTER_CHECK(done.has_value(), "an update cannot fail");
}

std::vector<NamedState> AdamW::state() {
  return {{"adamw.first", first_}, {"adamw.second", second_}};
}

}  // namespace muster::trainer
