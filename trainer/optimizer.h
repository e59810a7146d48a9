// One training step: gradient in the compute type, clip, AdamW on fp32 masters.
//
// (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; LibTorch's fused kernel.)
// Thread safety: none; one owner.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "trainer/model.h"
#include "trainer/trainer.h"

namespace muster::trainer {

// bf16 where the CPU multiplies it natively, unless told otherwise.
[[nodiscard]] at::ScalarType compute_type(Compute compute);

// Mean loss over `sequences` and its gradient in fp32.
struct LossAndGradient {
  double loss = 0;
  at::Tensor gradient;
};
[[nodiscard]] LossAndGradient loss_and_gradient(const Model& model, const at::Tensor& parameters,
                                                const at::Tensor& sequences, at::ScalarType type);

class AdamW {
 public:
  explicit AdamW(const TrainerConfig& config);
  // `gradient` is scaled to the clip norm. Shapes: [parameters], fp32.
  void step(const at::Tensor& parameters, at::Tensor gradient, double learning_rate);

  // What a checkpoint must hold, besides the parameters.
  at::Tensor first_moment, second_moment, steps;

 private:
  std::vector<std::int64_t> pieces_;  // of the flat array: with decay, without, with, …
  double beta1_, beta2_, epsilon_, weight_decay_, clip_;
};

}  // namespace muster::trainer
