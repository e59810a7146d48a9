#include "trainer/optimizer.h"

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
  leaf.set_requires_grad(true);
  const at::Tensor loss = model.losses(leaf, sequences).mean();
  loss.backward();
  return {loss.item<double>(), leaf.grad().to(at::kFloat)};
}

AdamW::AdamW(const TrainerConfig& config, std::int64_t parameters)
    : first_moment(at::zeros({parameters})),
      second_moment(at::zeros({parameters})),
      steps(at::zeros({})),
      beta1_(config.beta1),
      beta2_(config.beta2),
      epsilon_(config.epsilon),
      weight_decay_(config.weight_decay),
      clip_(config.gradient_clip) {}

void AdamW::step(at::Tensor& parameters, at::Tensor gradient, double learning_rate) {
  const at::NoGradGuard no_gradient;
  if (clip_ > 0) gradient.mul_(std::min(1.0, clip_ / (gradient.norm().item<double>() + 1e-6)));
  steps.add_(1);
  std::vector<at::Tensor> p{parameters}, g{gradient}, m{first_moment}, v{second_moment}, s{steps};
  at::_fused_adamw_(p, g, m, v, {}, s, learning_rate, beta1_, beta2_, weight_decay_, epsilon_,
                    /*amsgrad=*/false, /*maximize=*/false);
}

}  // namespace muster::trainer
