#include "trainer/optim/muon.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>

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

Muon::Muon(const OptimizerConfig& config, const compression::Layout& layout, Team& team)
    : config_(config),
      team_(team),
      workers_(team.size()),
      rest_(config, rest_of(layout, config.decay_vectors), team) {
  std::uint64_t total = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    if (!is_hidden_matrix(tensor)) continue;
    matrices_.push_back({tensor.offset, total, tensor.shape[0], tensor.shape[1]});
    total += tensor.elements;
  }
  momentum_.resize(total);
  std::ranges::stable_sort(matrices_, std::greater{}, [](const Matrix& matrix) {
    return matrix.rows * matrix.columns * std::min(matrix.rows, matrix.columns);
  });
}

void Muon::step(std::span<float> theta, std::span<const float> gradient, double learning_rate,
                float gradient_scale) {
  rest_.step(theta, gradient, learning_rate, gradient_scale);
  std::atomic<std::size_t> next = 0;
  team_.run([&](unsigned index) {
    for (std::size_t i = next++; i < matrices_.size(); i = next++) {
      const Matrix& matrix = matrices_[i];
      const std::size_t elements = matrix.rows * matrix.columns;
      step_matrix(matrix, theta.subspan(matrix.offset, elements),
                  gradient.subspan(matrix.offset, elements), learning_rate, gradient_scale,
                  workers_[index]);
    }
  });
}

void Muon::step_matrix(const Matrix& matrix, std::span<float> p, std::span<const float> g,
                       double learning_rate, float gradient_scale, Worker& worker) {
  const auto momentum = std::span(momentum_).subspan(matrix.state_offset, p.size());
  const auto gain = static_cast<float>(1 - config_.momentum),
             nesterov = static_cast<float>(config_.momentum);
  std::vector<float>& update = worker.update;
  update.resize(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    const float scaled = g[i] * gradient_scale;
    momentum[i] += gain * (scaled - momentum[i]);
    update[i] = scaled + nesterov * (momentum[i] - scaled);
  }
  worker.newton_schulz.orthogonalize(update, matrix.rows, matrix.columns);
  const auto longest = static_cast<double>(std::max(matrix.rows, matrix.columns));
  const auto step_size = static_cast<float>(learning_rate * 0.2 * std::sqrt(longest));
  const auto keep = static_cast<float>(1 - learning_rate * config_.weight_decay);
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = p[i] * keep - step_size * update[i];
}

std::vector<NamedState> Muon::state() {
  auto all = rest_.state();
  all.push_back({"muon.momentum", momentum_});
  return all;
}

}  // namespace muster::trainer
