#include "trainer/optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "trainer/kernels/kernels.h"

namespace muster::trainer {
namespace {

constexpr std::uint64_t kChunkElements =
    65536;  // of four arrays: 1 MiB, within a core's second-level cache

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

AdamW::AdamW(const OptimizerConfig& config, const std::vector<Piece>& pieces, Team& team)
    : config_(config), team_(team) {
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
  const AdamwStep all{.learning_rate = static_cast<float>(learning_rate),
                      .beta1 = static_cast<float>(config_.beta1),
                      .beta2 = static_cast<float>(config_.beta2),
                      .epsilon = static_cast<float>(config_.epsilon),
                      .correction1 = static_cast<float>(1 - std::pow(config_.beta1, t)),
                      .correction2 = static_cast<float>(1 - std::pow(config_.beta2, t)),
                      .gradient_scale = gradient_scale};
  const auto& kernels = *available_kernels<float>().front();
  team_.split(chunks_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) {
      const Chunk& chunk = chunks_[begin];
      AdamwStep one = all;
      one.decay = chunk.decays ? static_cast<float>(config_.weight_decay) : 0.0f;
      kernels.adamw(one, chunk.elements, gradient.data() + chunk.theta_offset,
                    theta.data() + chunk.theta_offset, first_.data() + chunk.state_offset,
                    second_.data() + chunk.state_offset);
    }
  });
}

std::vector<NamedState> AdamW::state() {
  return {{"adamw.first", first_}, {"adamw.second", second_}};
}

}  // namespace muster::trainer
