#include "trainer/optim/newton_schulz.h"

#include <algorithm>
#include <cmath>

#include "trainer/optim/gradient_norm.h"

namespace muster::trainer {
namespace {

constexpr int kSteps = 5;
constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;
constexpr double kNormMin = 1e-7;
constexpr std::size_t kTile = 32;

// out, columns × rows, is `in`ᵀ.
void transpose(const float* in, std::size_t rows, std::size_t columns, float* out) {
  for (std::size_t i0 = 0; i0 < rows; i0 += kTile)
    for (std::size_t j0 = 0; j0 < columns; j0 += kTile)
      for (std::size_t i = i0; i < std::min(i0 + kTile, rows); ++i)
        for (std::size_t j = j0; j < std::min(j0 + kTile, columns); ++j)
          out[j * rows + i] = in[i * columns + j];
}

// out[m × n] = a[m × k] · b[k × n]. Each element is summed in the order of k.
void multiply(const float* a, const float* b, std::size_t m, std::size_t k, std::size_t n,
              float* out) {
  std::fill(out, out + m * n, 0.0f);
  for (std::size_t l0 = 0; l0 < k; l0 += 64) {
    const std::size_t l1 = std::min(l0 + 64, k);
    for (std::size_t i = 0; i < m; ++i) {
      float* __restrict row = out + i * n;
      for (std::size_t l = l0; l < l1; ++l) {
        const float factor = a[i * k + l];
        const float* __restrict other = b + l * n;
        for (std::size_t j = 0; j < n; ++j) row[j] += factor * other[j];
      }
    }
  }
}

}  // namespace

void orthogonalize(std::span<float> matrix, std::size_t rows, std::size_t columns,
                   NewtonSchulzScratch& scratch) {
  const std::size_t m = std::min(rows, columns), n = std::max(rows, columns);
  scratch.x.resize(m * n);
  scratch.transposed.resize(m * n);
  scratch.gram.resize(m * m);
  scratch.polynomial.resize(m * m);
  scratch.product.resize(m * n);
  float *x = scratch.x.data(), *gram = scratch.gram.data(), *polynomial = scratch.polynomial.data();
  if (rows > columns) transpose(matrix.data(), rows, columns, x);
  else std::copy(matrix.begin(), matrix.end(), x);
  const auto shrink = static_cast<float>(1 / std::max(std::sqrt(sum_squares(scratch.x)), kNormMin));
  for (float& value : scratch.x) value *= shrink;
  for (int step = 0; step < kSteps; ++step) {
    transpose(x, m, n, scratch.transposed.data());
    multiply(x, scratch.transposed.data(), m, n, m, gram);
    multiply(gram, gram, m, m, m, polynomial);
    for (std::size_t i = 0; i < m * m; ++i) polynomial[i] = kB * gram[i] + kC * polynomial[i];
    multiply(polynomial, x, m, m, n, scratch.product.data());
    for (std::size_t i = 0; i < m * n; ++i) x[i] = kA * x[i] + scratch.product[i];
  }
  if (rows > columns) transpose(x, m, n, matrix.data());
  else std::copy(scratch.x.begin(), scratch.x.end(), matrix.begin());
}

}  // namespace muster::trainer
