#include "trainer/optim/muon.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/parallel.h"
#include "trainer/optim/newton_schulz.h"

namespace muster::trainer {
namespace {

std::vector<Piece> rest_of(const compression::Layout& layout, bool decay_vectors) {
  std::vector<Piece> pieces;
  for (const compression::Tensor& tensor : layout.tensors())
    if (!is_hidden_matrix(tensor))
      pieces.push_back({tensor.offset, tensor.elements, decay_vectors || tensor.shape.size() > 1});
  return pieces;
}

}  // namespace

bool is_hidden_matrix(const compression::Tensor& tensor) {
  return tensor.shape.size() == 2 && tensor.name.starts_with("model.layers.");
}

Muon::Muon(const OptimizerConfig& config, const compression::Layout& layout, unsigned threads)
    : config_(config), threads_(threads), rest_(config, rest_of(layout, config.decay_vectors), threads) {
  std::uint64_t total = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    if (!is_hidden_matrix(tensor)) continue;
    matrices_.push_back({tensor.offset, total, tensor.shape[0], tensor.shape[1]});
    total += tensor.elements;
  }
  momentum_.resize(total);
}

void Muon::step(std::span<float> theta, std::span<const float> gradient, double learning_rate,
                float gradient_scale) {
  rest_.step(theta, gradient, learning_rate, gradient_scale);
  const auto gain = static_cast<float>(1 - config_.momentum);
  const auto nesterov = static_cast<float>(config_.momentum);
  const auto keep = static_cast<float>(1 - learning_rate * config_.weight_decay);
  const Status done = parallel_for(matrices_.size(), threads_, [&] {
    return [&, scratch = NewtonSchulzScratch{}, update = std::vector<float>{}](
               std::size_t job) mutable -> Status {
      const Matrix& matrix = matrices_[job];
      const std::size_t elements = matrix.rows * matrix.columns;
      const auto g = gradient.subspan(matrix.offset, elements);
      const auto momentum = std::span(momentum_).subspan(matrix.state_offset, elements);
      const auto p = theta.subspan(matrix.offset, elements);
      update.resize(elements);
      for (std::size_t i = 0; i < elements; ++i) {
        const float scaled = g[i] * gradient_scale;
        momentum[i] += gain * (scaled - momentum[i]);
        update[i] = scaled + nesterov * (momentum[i] - scaled);
      }
      orthogonalize(update, matrix.rows, matrix.columns, scratch);
      const double longest = static_cast<double>(std::max(matrix.rows, matrix.columns));
      const auto step_size = static_cast<float>(learning_rate * 0.2 * std::sqrt(longest));
      for (std::size_t i = 0; i < elements; ++i) p[i] = p[i] * keep - step_size * update[i];
      return {};
    };
  });
  MUSTER_CHECK(done.has_value(), "an update cannot fail");
}

std::vector<NamedState> Muon::state() {
  auto all = rest_.state();
  all.push_back({"muon.momentum", momentum_});
  return all;
}

}  // namespace muster::trainer
