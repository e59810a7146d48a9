#include "chain/fixed/sparse.h"

namespace muster::chain {
namespace {

// Divides each entry by its column's divisor, where that is not zero.
void divide_columns(SparseMatrix& matrix, std::span<const I32F32> divisors) {
  for (auto& [column, value] : matrix.entries())
    if (column < divisors.size() && divisors[column] != I32F32::zero())
      value = safe_div(value, divisors[column]);
}

void append_positive(std::span<const I32F32> dense, SparseMatrix& matrix) {
  for (std::size_t j = 0; j < dense.size(); ++j)
    if (dense[j] > I32F32::zero()) matrix.append(static_cast<std::uint16_t>(j), dense[j]);
  matrix.close_row();
}

void densify(std::span<const SparseMatrix::Entry> row, std::span<I32F32> dense) {
  std::fill(dense.begin(), dense.end(), I32F32::zero());
  for (const auto& [column, value] : row)
    if (column < dense.size()) dense[column] = value;
}

I32F32 at_or_zero(std::span<const I32F32> values, std::size_t i) {
  return i < values.size() ? values[i] : I32F32::zero();
}

}  // namespace

void row_normalize(SparseMatrix& matrix) {
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    I32F32 sum;
    for (const auto& entry : matrix.row(i)) sum = wrapping_add(sum, entry.value);
    if (sum <= I32F32::zero()) continue;
    for (auto& entry : matrix.row(i)) entry.value = safe_div(entry.value, sum);
  }
}

void col_normalize(SparseMatrix& matrix, std::size_t columns) {
  std::vector<I32F32> sums(columns);
  for (const auto& [column, value] : std::as_const(matrix).entries())
    if (column < columns) sums[column] = sums[column] + value;
  divide_columns(matrix, sums);
}

void col_max_upscale(SparseMatrix& matrix, std::size_t columns) {
  std::vector<I32F32> largest(columns);
  for (const auto& [column, value] : std::as_const(matrix).entries())
    if (column < columns) largest[column] = std::max(largest[column], value);
  divide_columns(matrix, largest);
}

SparseMatrix col_clip(const SparseMatrix& matrix, std::span<const I32F32> bounds) {
  SparseMatrix result;
  result.reserve(matrix.rows(), matrix.entries().size());
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    for (const auto& [column, value] : matrix.row(i)) {
      const I32F32 bound = at_or_zero(bounds, column);
      if (value <= bound) {
        result.append(column, value);
      } else if (bound > I32F32::zero()) {
        result.append(column, bound);
      }
    }
    result.close_row();
  }
  return result;
}

std::vector<I32F32> row_sums(const SparseMatrix& matrix) {
  std::vector<I32F32> sums(matrix.rows());
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (const auto& entry : matrix.row(i)) sums[i] = wrapping_add(sums[i], entry.value);
  return sums;
}

std::vector<I32F32> column_dots(const SparseMatrix& matrix, std::span<const I32F32> factors,
                                std::size_t columns) {
  std::vector<I32F32> dots(columns);
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    const I32F32 factor = at_or_zero(factors, i);
    for (const auto& [column, value] : matrix.row(i))
      if (column < columns) dots[column] = dots[column] + factor * value;
  }
  return dots;
}

std::vector<I32F32> row_dots(const SparseMatrix& matrix, std::span<const I32F32> factors) {
  std::vector<I32F32> dots(matrix.rows());
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (const auto& [column, value] : matrix.row(i))
      dots[i] = dots[i] + at_or_zero(factors, column) * value;
  return dots;
}

std::vector<I32F32> row_dots_wrapping(const SparseMatrix& matrix, std::span<const I32F32> factors) {
  std::vector<I32F32> dots(matrix.rows());
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (const auto& [column, value] : matrix.row(i))
      dots[i] = wrapping_add(dots[i], value * at_or_zero(factors, column));
  return dots;
}

SparseMatrix row_scaled(const SparseMatrix& matrix, std::span<const I32F32> factors) {
  SparseMatrix result;
  result.reserve(matrix.rows(), matrix.entries().size());
  for (std::size_t i = 0; i < std::min(matrix.rows(), factors.size()); ++i) {
    for (const auto& [column, value] : matrix.row(i)) result.append(column, value * factors[i]);
    result.close_row();
  }
  return result;
}

SparseMatrix interpolated(const SparseMatrix& a, const SparseMatrix& b, std::size_t columns,
                          I32F32 ratio) {
  if (ratio == I32F32::zero()) return a;
  if (ratio == I32F32::one() || a.rows() != b.rows()) return b;
  SparseMatrix result;
  result.reserve(a.rows(), a.entries().size());
  std::vector<I32F32> from(columns);
  std::vector<I32F32> to(columns);
  for (std::size_t i = 0; i < a.rows(); ++i) {
    densify(a.row(i), from);
    densify(b.row(i), to);
    for (std::size_t j = 0; j < columns; ++j) from[j] = interpolated(from[j], to[j], ratio);
    append_positive(from, result);
  }
  return result;
}

SparseMatrix moving_average(const SparseMatrix& fresh, const SparseMatrix& old, I32F32 alpha) {
  SparseMatrix result;
  result.reserve(fresh.rows(), fresh.entries().size() + old.entries().size());
  const I32F32 keep = I32F32::one() - alpha;
  std::vector<I32F32> dense(fresh.rows());
  for (std::size_t i = 0; i < fresh.rows(); ++i) {
    std::fill(dense.begin(), dense.end(), I32F32::zero());
    for (const auto& [column, value] : fresh.row(i))
      if (column < dense.size()) dense[column] = dense[column] + alpha * value;
    if (i < old.rows())
      for (const auto& [column, value] : old.row(i))
        if (column < dense.size()) dense[column] = dense[column] + keep * value;
    append_positive(dense, result);
  }
  return result;
}

}  // namespace muster::chain
