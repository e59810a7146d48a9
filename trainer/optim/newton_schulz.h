// Newton–Schulz iteration: brings a matrix near the orthogonal one with the same singular vectors.
//
// Five steps X ← aX + (bA + cA²)X with A = XXᵀ from X / ‖X‖, coefficients 3.4445, −4.7750, 2.0315;
// singular values end within about 0.7 … 1.2 (Jordan et al., "Muon: an optimizer for hidden layers
// in neural networks", kellerjordan.github.io/posts/muon, 2024). In fp32, on the calling thread:
// matrices are many, so that threads have a whole one each. Thread safety: none; one owner.
// Determinism: equal bits on one instruction set.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/team.h"
#include "trainer/llama/matmul.h"

namespace muster::trainer {

class NewtonSchulz {
 public:
  NewtonSchulz();
  // `matrix`, rows × columns, is replaced. A zero matrix stays zero. Buffers grow to the largest
  // matrix seen.
  void orthogonalize(std::span<float> matrix, std::size_t rows, std::size_t columns);

 private:
  void iterate(std::size_t m, std::size_t n);
  std::unique_ptr<Team> alone_;  // its address must stay
  std::unique_ptr<Matmul<float>> matmul_;
  std::vector<float> x_, gram_, polynomial_, product_;
};

}  // namespace muster::trainer
