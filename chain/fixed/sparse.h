// Sparse matrices of weights and bonds: rows of (column, value), all in one flat vector.
//
// The entries of a row keep the order in which they were appended; nothing sorts them, because the
// rules that read them see that order. An entry whose value is zero is not the same as no entry.
// Source: subtensor: epoch/math.rs (the *_sparse functions).
// Thread safety: plain values; the functions are pure and borrow their arguments for the call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

template <class Value>
struct SparseEntry {
  std::uint16_t column = 0;
  Value value{};
  friend bool operator==(const SparseEntry&, const SparseEntry&) = default;
};

template <class Value>
class SparseRows {
 public:
  using Entry = SparseEntry<Value>;

  void reserve(std::size_t rows, std::size_t entries) {
    ends_.reserve(rows);
    entries_.reserve(entries);
  }
  // Appends to the row that the next close_row() ends.
  void append(std::uint16_t column, Value value) { entries_.push_back({column, value}); }
  void close_row() { ends_.push_back(entries_.size()); }

  [[nodiscard]] std::size_t rows() const { return ends_.size(); }
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }
  [[nodiscard]] std::span<Entry> entries() { return entries_; }
  // REQUIRES: i < rows().
  [[nodiscard]] std::span<const Entry> row(std::size_t i) const {
    return std::span(entries_).subspan(begin_of(i), ends_[i] - begin_of(i));
  }
  [[nodiscard]] std::span<Entry> row(std::size_t i) {
    return std::span(entries_).subspan(begin_of(i), ends_[i] - begin_of(i));
  }

  friend bool operator==(const SparseRows&, const SparseRows&) = default;

 private:
  [[nodiscard]] std::size_t begin_of(std::size_t i) const { return i == 0 ? 0 : ends_[i - 1]; }

  std::vector<std::size_t> ends_;  // of each row in entries_
  std::vector<Entry> entries_;
};

using SparseMatrix = SparseRows<I32F32>;
using SparseU16 = SparseRows<std::uint16_t>;

// Divides each row by its sum, where that is positive.
void row_normalize(SparseMatrix& matrix);
// Divides each column by its sum, where that is not zero. Columns from `columns` on stay as they
// are.
void col_normalize(SparseMatrix& matrix, std::size_t columns);
// Divides each column by its largest value, where that is positive.
void col_max_upscale(SparseMatrix& matrix, std::size_t columns);

// Values above their column's bound become the bound; the entry goes where that bound is not
// positive.
[[nodiscard]] SparseMatrix col_clip(const SparseMatrix& matrix, std::span<const I32F32> bounds);

// Sums of rows, which wrap.
[[nodiscard]] std::vector<I32F32> row_sums(const SparseMatrix& matrix);
// result_j = sum over i of factors_i * matrix_ij; a missing factor is zero.
[[nodiscard]] std::vector<I32F32> column_dots(const SparseMatrix& matrix,
                                              std::span<const I32F32> factors, std::size_t columns);
// result_i = sum over j of factors_j * matrix_ij; a missing factor is zero. The sum saturates.
[[nodiscard]] std::vector<I32F32> row_dots(const SparseMatrix& matrix,
                                           std::span<const I32F32> factors);
// result_i as row_dots, but of products that are not zero and with a sum that wraps.
[[nodiscard]] std::vector<I32F32> row_dots_wrapping(const SparseMatrix& matrix,
                                                    std::span<const I32F32> factors);
// Multiplies row i by factors_i; rows without a factor are dropped.
[[nodiscard]] SparseMatrix row_scaled(const SparseMatrix& matrix, std::span<const I32F32> factors);

[[nodiscard]] constexpr I32F32 interpolated(I32F32 a, I32F32 b, I32F32 ratio) {
  return a + ratio * (b - a);
}
// The same entry by entry: `a` itself for ratio 0, `b` for ratio 1; else in the order of columns,
// positive values only. `b` where the numbers of rows differ.
[[nodiscard]] SparseMatrix interpolated(const SparseMatrix& a, const SparseMatrix& b,
                                        std::size_t columns, I32F32 ratio);

// alpha * fresh + (1 - alpha) * old, square: in the order of columns, positive values only.
[[nodiscard]] SparseMatrix moving_average(const SparseMatrix& fresh, const SparseMatrix& old,
                                          I32F32 alpha);

// min(1, alpha_ij * fresh_ij + (1 - alpha_ij) * old_ij) for the entries of `fresh`, positive values
// only: what `fresh` has no entry for vanishes. alpha_of_row(i, alphas) fills `alphas`, one per
// column; both matrices have equal rows.
template <class AlphaOfRow>
[[nodiscard]] SparseMatrix moving_average_by_entry(const SparseMatrix& fresh,
                                                   const SparseMatrix& old, std::size_t columns,
                                                   const AlphaOfRow& alpha_of_row);

// One entry of moving_average_by_entry.
[[nodiscard]] constexpr I32F32 blended(I32F32 fresh, I32F32 decayed, I32F32 alpha) {
  const I32F32 increase = std::max(alpha * fresh, I32F32::zero());
  return std::min(decayed + increase, I32F32::one());
}

template <class AlphaOfRow>
SparseMatrix moving_average_by_entry(const SparseMatrix& fresh, const SparseMatrix& old,
                                     std::size_t columns, const AlphaOfRow& alpha_of_row) {
  SparseMatrix result;
  result.reserve(fresh.rows(), fresh.entries().size());
  std::vector<I32F32> alphas(columns);
  std::vector<I32F32> decayed(columns);
  for (std::size_t i = 0; i < fresh.rows(); ++i) {
    if (!fresh.row(i).empty()) {
      alpha_of_row(i, std::span(alphas));
      std::fill(decayed.begin(), decayed.end(), I32F32::zero());
      for (const auto& [column, value] : old.row(i))
        if (column < columns) decayed[column] = (I32F32::one() - alphas[column]) * value;
      for (const auto& [column, value] : fresh.row(i)) {
        if (column >= columns) continue;
        const I32F32 blend = blended(value, decayed[column], alphas[column]);
        if (blend > I32F32::zero()) result.append(column, blend);
      }
    }
    result.close_row();
  }
  return result;
}

}  // namespace muster::chain
