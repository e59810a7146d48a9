#include "trainer/optimizer.h"

#include <c10/core/GradMode.h>

#include <algorithm>

namespace muster::trainer {

at::ScalarType compute_type(Compute compute) {
  if (compute == Compute::kFloat32) return at::kFloat;
  if (compute == Compute::kBfloat16) return at::kBFloat16;
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") ? at::kBFloat16 : at::kFloat;
}

LossAndGradient loss_and_gradient(const Model& model, const at::Tensor& parameters,
                                  const at::Tensor& sequences, at::ScalarType type) {
  at::Tensor leaf = parameters.to(type, /*non_blocking=*/false, /*copy=*/true);
  const c10::AutoGradMode with_gradient(true);
  leaf.set_requires_grad(true);
  const at::Tensor loss = model.losses(leaf, sequences).mean();
  loss.backward();
  return {loss.item<double>(), leaf.grad().to(at::kFloat)};
}

AdamW::AdamW(const TrainerConfig& config)
    : steps(at::zeros({})),
      pieces_{0},
      beta1_(config.beta1),
      beta2_(config.beta2),
      epsilon_(config.epsilon),
      weight_decay_(config.weight_decay),
      clip_(config.gradient_clip) {
  const compression::Layout layout = state::layout_of(config.model);
  first_moment = at::zeros({static_cast<std::int64_t>(layout.parameters())});
  second_moment = at::zeros_like(first_moment);
  bool decays = true;
  for (const compression::Tensor& tensor : layout.tensors()) {
    if (decays != (config.decay_vectors || tensor.shape.size() > 1)) {
      decays = !decays;
      pieces_.push_back(0);
    }
    pieces_.back() += static_cast<std::int64_t>(tensor.elements);
  }
}

void AdamW::step(const at::Tensor& parameters, at::Tensor gradient, double learning_rate) {
  if (clip_ > 0) gradient.mul_(std::min(1.0, clip_ / (gradient.norm().item<double>() + 1e-6)));
  steps.add_(1);
  std::vector<at::Tensor> p[2], g[2], m[2], v[2], s[2];  // with decay, without
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    auto piece = [&](const at::Tensor& all) { return all.narrow(0, begin, pieces_[i]); };
    p[i % 2].push_back(piece(parameters));
    g[i % 2].push_back(piece(gradient));
    m[i % 2].push_back(piece(first_moment));
    v[i % 2].push_back(piece(second_moment));
    s[i % 2].push_back(steps);
    begin += pieces_[i];
  }
  for (std::size_t group : {0u, 1u}) {
    if (p[group].empty()) continue;
    at::_fused_adamw_(p[group], g[group], m[group], v[group], {}, s[group], learning_rate, beta1_,
                      beta2_, group == 0 ? weight_decay_ : 0.0, epsilon_, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
}

}  // namespace muster::trainer
