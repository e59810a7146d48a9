// Newton–Schulz iteration: brings a matrix near the orthogonal one with the same singular vectors.
//
// Five steps X ← aX + (bA + cA²)X with A = XXᵀ from X / ‖X‖, coefficients 3.4445, −4.7750, 2.0315; singular
// values end within about 0.7 … 1.2 (Jordan et al., "Muon: an optimizer for hidden layers in neural
// networks", kellerjordan.github.io/posts/muon, 2024). In fp32. Thread safety: one scratch per thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace muster::trainer {

// Buffers that grow to the largest matrix seen.
struct NewtonSchulzScratch {
  std::vector<float> x, transposed, gram, polynomial, product;
};

// `matrix`, rows × columns, is replaced. A zero matrix stays zero.
void orthogonalize(std::span<float> matrix, std::size_t rows, std::size_t columns,
                   NewtonSchulzScratch& scratch);

}  // namespace muster::trainer
