// AdamW: Loshchilov and Hutter, "Decoupled weight decay regularization" (ICLR 2019, arXiv
// 1711.05101), in the form of torch.optim.AdamW:
//
//   p ← p · (1 − lr · decay);  m ← m + (1 − β₁)(g − m);  v ← β₂ · v + (1 − β₂) g²
//   p ← p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
//
// State: "adamw.first" and "adamw.second", m and v of the pieces in order, which start at zero. One
// pass over memory: 16 bytes read and 12 written per parameter. Thread safety: none; one owner.
#pragma once

#include "trainer/optim/optimizer.h"

namespace muster::trainer {

// Consecutive parameters that decay or do not.
struct Piece {
  std::uint64_t offset = 0;
  std::uint64_t elements = 0;
  bool decays = true;
  bool operator==(const Piece&) const = default;
};

// The whole layout, neighbours of one kind merged.
[[nodiscard]] std::vector<Piece> pieces_of(const compression::Layout& layout, bool decay_vectors);

class AdamW final : public Optimizer {
 public:
  AdamW(const OptimizerConfig& config, const std::vector<Piece>& pieces, Team& team);
  void step(std::span<float> theta, std::span<const float> gradient, double learning_rate,
            float gradient_scale) override;
  std::uint64_t steps() const override { return steps_; }
  void set_steps(std::uint64_t steps) override { steps_ = steps; }
  std::vector<NamedState> state() override;

 private:
  struct Chunk {
    std::uint64_t theta_offset, state_offset, elements;
    bool decays;
  };
  OptimizerConfig config_;
  Team& team_;
  std::vector<Chunk> chunks_;
  std::vector<float> first_, second_;
  std::uint64_t steps_ = 0;
};

}  // namespace muster::trainer
