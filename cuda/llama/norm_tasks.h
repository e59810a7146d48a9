// RMSNorm of rows, with the addition of a branch to the residual stream, and its gradient: a team a
// row.
//
// A task is what one team does for each block of a grid: operator()(team, shared, block); blocks do
// not touch each other. Its kRoomBytes, if it has that, of shared memory are kept free of other
// teams. Shapes: M rows of width D, D a multiple of 8 and at most 1024 · kParts. Source: Zhang and
// Sennrich, "Root mean square layer normalization" (arXiv 1910.07467). Thread safety: values.
#pragma once

#include "cuda/llama/numbers.h"

namespace muster::gpu {

struct NothingShared {};

// A thread's share of a row: kParts times four neighbours.
template <unsigned kParts>
struct RowShare {
  float x[4 * kParts];
};
MUSTER_BOTH std::size_t column_of(unsigned t, unsigned part) {
  return (std::size_t{part} * kThreads + t) * kFour;
}
inline constexpr std::size_t kRowColumns = std::size_t{kThreads} * kFour;

// x = input + added;  h = x · scale · gain with scale = (mean x² + ε)^-½.  One block a row.
template <class T, unsigned kParts>
struct NormTask {
  const float* input = nullptr;
  const T* added = nullptr;  // null: nothing
  float* sum = nullptr;      // x, where something is added
  const float* gain = nullptr;
  T* normed = nullptr;
  float* scale = nullptr;  // [M]
  std::size_t width = 0;
  float epsilon = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t row) const {
    typename Team::template Own<RowShare<kParts>> x;
    typename Team::template Own<float> squares;
    const std::size_t first = row * width;
    team.each([&](unsigned t) {
      float square = 0;
      MUSTER_UNROLL
      for (unsigned part = 0; part < kParts; ++part) {
        const std::size_t c = column_of(t, part);
        if (c >= width) continue;
        Few<4> few = load<4>(input + first + c);
        if (added != nullptr) {
          const Few<4> more = load<4>(added + first + c);
          MUSTER_UNROLL
          for (unsigned i = 0; i < 4; ++i) few.x[i] += more.x[i];
          store<4>(sum + first + c, few);
        }
        MUSTER_UNROLL
        for (unsigned i = 0; i < 4; ++i) {
          x.of(t).x[4 * part + i] = few.x[i];
          square += few.x[i] * few.x[i];
        }
      }
      squares.of(t) = square;
    });
    const float mean = team.total(squares) / static_cast<float>(width);
    const float factor = 1.0f / square_root(mean + epsilon);
    team.each([&](unsigned t) {
      if (t == 0) scale[row] = factor;
      MUSTER_UNROLL
      for (unsigned part = 0; part < kParts; ++part) {
        const std::size_t c = column_of(t, part);
        if (c >= width) continue;
        Few<4> few = load<4>(gain + c);
        MUSTER_UNROLL
        for (unsigned i = 0; i < 4; ++i) few.x[i] *= x.of(t).x[4 * part + i] * factor;
        store<4>(normed + first + c, few);
      }
    });
  }
};

// dx += scale · (gain · dh − x · scale² · mean(gain · dh · x)), also stored as T; each block's rows
// give one row of `gain_parts`: Σ dh · x · scale. One block for `rows_each` rows.
template <class T, unsigned kParts>
struct NormBackwardTask {
  const T* d_normed = nullptr;
  const float* x = nullptr;
  const float* gain = nullptr;
  const float* scale = nullptr;
  float* d_residual = nullptr;
  bool is_first = false;  // d_residual is 0 and was not written
  T* stored = nullptr;
  float* gain_parts = nullptr;
  std::size_t rows = 0, rows_each = 1, width = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    using Share = RowShare<kParts>;
    typename Team::template Own<Share> gains, d_gain;
    team.each([&](unsigned t) {
      MUSTER_UNROLL
      for (unsigned part = 0; part < kParts; ++part) {
        const std::size_t c = column_of(t, part);
        const Few<4> few = c < width ? load<4>(gain + c) : Few<4>{};
        MUSTER_UNROLL
        for (unsigned i = 0; i < 4; ++i) {
          gains.of(t).x[4 * part + i] = few.x[i];
          d_gain.of(t).x[4 * part + i] = 0;
        }
      }
    });
    const std::size_t end = (block + 1) * rows_each < rows ? (block + 1) * rows_each : rows;
    for (std::size_t row = block * rows_each; row < end; ++row)
      backward_row(team, row, gains, d_gain);
    team.each([&](unsigned t) {
      MUSTER_UNROLL
      for (unsigned part = 0; part < kParts; ++part) {
        const std::size_t c = column_of(t, part);
        if (c >= width) continue;
        Few<4> few;
        MUSTER_UNROLL
        for (unsigned i = 0; i < 4; ++i) few.x[i] = d_gain.of(t).x[4 * part + i];
        store<4>(gain_parts + block * width + c, few);
      }
    });
  }

 private:
  template <class Team, class Own>
  MUSTER_TEAM void backward_row(Team& team, std::size_t row, Own& gains, Own& d_gain) const {
    Own values, slopes;  // x, and gain · dh
    typename Team::template Own<float> products;
    const std::size_t first = row * width;
    const float factor = scale[row];
    team.each([&](unsigned t) {
      float product = 0;
      MUSTER_UNROLL
      for (unsigned part = 0; part < kParts; ++part) {
        const std::size_t c = column_of(t, part);
        if (c >= width) continue;
        const Few<4> dh = load<4>(d_normed + first + c), value = load<4>(x + first + c);
        MUSTER_UNROLL
        for (unsigned i = 0; i < 4; ++i) {
          const unsigned at = 4 * part + i;
          const float slope = dh.x[i] * gains.of(t).x[at];
          values.of(t).x[at] = value.x[i];
          slopes.of(t).x[at] = slope;
          product += slope * value.x[i];
          d_gain.of(t).x[at] += dh.x[i] * value.x[i] * factor;
        }
      }
      products.of(t) = product;
    });
    const float back = team.total(products) / static_cast<float>(width) * factor * factor;
    team.each([&](unsigned t) {
      MUSTER_UNROLL
      for (unsigned part = 0; part < kParts; ++part) {
        const std::size_t c = column_of(t, part);
        if (c >= width) continue;
        Few<4> d = is_first ? Few<4>{} : load<4>(d_residual + first + c);
        MUSTER_UNROLL
        for (unsigned i = 0; i < 4; ++i)
          d.x[i] += factor * (slopes.of(t).x[4 * part + i] - values.of(t).x[4 * part + i] * back);
        store<4>(d_residual + first + c, d);
        store<4>(stored + first + c, d);
      }
    });
  }
};

// d_gain += the sum of all parts, in one order. One block for kGainColumns columns.
inline constexpr unsigned kGainColumns = 8;  // 32 bytes, what memory moves in
struct GainSumTask {
  const float* parts = nullptr;  // [count, D]
  std::size_t count = 0, width = 0;
  float* d_gain = nullptr;

  struct Shared {
    float sums[kThreads];
  };
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared& shared, std::uint64_t block) const {
    constexpr unsigned kSums = kThreads / kGainColumns;
    const std::size_t first = block * kGainColumns;  // D is a multiple of 8
    team.each([&](unsigned t) {
      float sum = 0;
      MUSTER_UNROLL_8
      for (std::size_t part = t / kGainColumns; part < count; part += kSums)
        sum += parts[part * width + first + t % kGainColumns];
      shared.sums[t] = sum;
    });
    team.sync();
    team.each([&](unsigned t) {
      if (t >= kGainColumns) return;
      float sum = shared.sums[t];
      for (unsigned i = 1; i < kSums; ++i) sum += shared.sums[i * kGainColumns + t];
      d_gain[first + t] += sum;
    });
  }
};

}  // namespace muster::gpu
