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

}  // namespace

NewtonSchulz::NewtonSchulz()
    : alone_(std::make_unique<Team>(1)),
      matmul_(make_panel_matmul<float>(*available_kernels<float>().front(), *alone_)) {}

void NewtonSchulz::orthogonalize(std::span<float> matrix, std::size_t rows, std::size_t columns) {
  const std::size_t m = std::min(rows, columns), n = std::max(rows, columns);
  x_.resize(m * n);
  product_.resize(m * n);
  gram_.resize(m * m);
  polynomial_.resize(m * m);
  if (rows > columns)
    transpose(matrix.data(), rows, columns, x_.data());
  else
    std::copy(matrix.begin(), matrix.end(), x_.begin());
  const auto shrink =
      static_cast<float>(1 / std::max(std::sqrt(sum_squares(x_, *alone_)), kNormMin));
  for (float& value : x_) value *= shrink;
  for (int step = 0; step < kSteps; ++step) iterate(m, n);
  if (rows > columns)
    transpose(x_.data(), m, n, matrix.data());
  else
    std::copy(x_.begin(), x_.end(), matrix.begin());
}

void NewtonSchulz::iterate(std::size_t m, std::size_t n) {
  matmul_->load_forward({x_.data(), m, n});
  matmul_->forward(x_.data(), m, Target<float>::to(gram_.data()));
  matmul_->load_backward({gram_.data(), m, m});
  matmul_->backward(gram_.data(), m, Target<float>::to(polynomial_.data()));
  for (std::size_t i = 0; i < m * m; ++i) polynomial_[i] = kB * gram_[i] + kC * polynomial_[i];
  matmul_->load_backward({x_.data(), m, n});
  matmul_->backward(polynomial_.data(), m, Target<float>::to(product_.data()));
  for (std::size_t i = 0; i < m * n; ++i) x_[i] = kA * x_[i] + product_[i];
}

}  // namespace muster::trainer
