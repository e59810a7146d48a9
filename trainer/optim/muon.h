// Muon: momentum, made orthogonal, on the matrices of the hidden layers; AdamW on the rest.
//
// Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024): Nesterov
// momentum and trainer/optim/newton_schulz.h. The step is scaled by 0.2 · √max(rows, columns), so
// that its root mean square is AdamW's and learning rate and weight decay carry over (Liu et al.,
// "Muon is scalable for LLM training", arXiv 2502.16982). As torch.optim.Muon with
// adjust_lr_fn="match_rms_adamw":
//
//   b ← b + (1 − μ)(g − b);  u = g + μ(b − g);  p ← p · (1 − lr · decay) − lr · 0.2√max(r, c) ·
//   NS₅(u)
//
// Embedding, head and vectors have AdamW. Query, key and value are matrices of their own. State:
// "muon.momentum" and AdamW's. Thread safety: none; one owner.
#pragma once

#include "trainer/optim/adamw.h"
#include "trainer/optim/newton_schulz.h"

namespace muster::trainer {

// A matrix of a decoder layer: neither embedding nor head.
[[nodiscard]] bool is_hidden_matrix(const compression::Tensor& tensor);

class Muon final : public Optimizer {
 public:
  Muon(const OptimizerConfig& config, const compression::Layout& layout, Team& team);
  void step(std::span<float> theta, std::span<const float> gradient, double learning_rate,
            float gradient_scale) override;
  std::uint64_t steps() const override { return rest_.steps(); }
  void set_steps(std::uint64_t steps) override { rest_.set_steps(steps); }
  std::vector<NamedState> state() override;

 private:
  struct Matrix {
    std::uint64_t offset, state_offset, rows, columns;
  };
  // What one thread needs.
  struct Worker {
    NewtonSchulz newton_schulz;
    std::vector<float> update;
  };
  void step_matrix(const Matrix& matrix, std::span<float> p, std::span<const float> g,
                   double learning_rate, float gradient_scale, Worker& worker);
  OptimizerConfig config_;
  Team& team_;
  std::vector<Matrix> matrices_;  // the most work first
  std::vector<float> momentum_;
  std::vector<Worker> workers_;  // one per thread
  AdamW rest_;
};

}  // namespace muster::trainer
