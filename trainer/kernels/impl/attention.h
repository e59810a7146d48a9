// Causal attention of one key/value head and the query heads that share it, and its gradient.
//
// Queries go in blocks of 64 rows whose scores with all earlier keys stay in the second-level
// cache; keys and values are packed once per call (FlashAttention's recomputation from saved row
// sums, arXiv 2205.14135, without its blocks over keys).
#pragma once

#include <cmath>
#include <utility>

#include "trainer/kernels/impl/pack.h"
#include "trainer/kernels/impl/product.h"

namespace muster::trainer::MUSTER_KERNELS {

constexpr std::size_t kQueryRows = kPanelColumns;

constexpr std::size_t round_up(std::size_t count, std::size_t to) {
  return (count + to - 1) / to * to;
}

// Scratch of both directions, in words; every part is a multiple of 16 words.
template <class T>
struct AttentionScratch {
  std::size_t keys, panel, rows, scores, probabilities, folded, wide, out;

  AttentionScratch(std::size_t positions, std::size_t width)
      : keys(round_up(positions, kPanelColumns)),
        panel(panel_words<T>(round_up(width, 2), keys)),
        rows(panel_words<T>(keys, width)),
        scores(kQueryRows * keys),
        probabilities(kQueryRows * keys / kGroup<T>),
        folded(panel_words<T>(kQueryRows, keys)),
        wide(panel_words<T>(kQueryRows, width)),
        out(keys * round_up(width, kLanes)) {}

  [[nodiscard]] std::size_t words() const {
    return 2 * panel + rows + 2 * scores + probabilities + 2 * folded + 2 * wide + 3 * out;
  }
};

template <class T>
std::size_t attention_words(std::size_t positions, std::size_t width) {
  return AttentionScratch<T>(positions, width).words();
}

inline float* floats(std::uint32_t* words) { return reinterpret_cast<float*>(words); }

template <class T>
inline const std::uint32_t* words_of(const T* values) {
  return reinterpret_cast<const std::uint32_t*>(values);
}

// body(first, rows) for a few rows of a block at a time: what they may not see differs, and is left
// out.
template <class Body>
inline void each_step(std::size_t rows, const Body& body) {
  constexpr std::size_t kStep = 4 * kTileRows;
  for (std::size_t r = 0; r < rows; r += kStep) body(r, rows - r < kStep ? rows - r : kStep);
}

// scores[rows, keys up to the row's own] = x · panelsᵀ for a block of rows that starts at `first`.
template <class T>
inline void block_scores(const T* x, std::size_t row, std::size_t width, std::size_t first,
                         std::size_t rows, const std::uint32_t* panels, float* scores,
                         std::size_t scores_row) {
  each_step(rows, [&](std::size_t r, std::size_t n) {
    multiply<T>({.a = words_of(x + r * row),
                 .a_row = row / kGroup<T>,
                 .a_group = 1,
                 .rows = n,
                 .columns = first + r + n,
                 .groups = groups_of<T>(width),
                 .panels = panels,
                 .panel_groups = groups_of<T>(width),
                 .into = Into::kFloat,
                 .c = scores + r * scores_row,
                 .c_row = scores_row});
  });
}

// out[rows, E] = p · panels, where row first + r of p ends with key first + r.
template <class T>
inline void block_mix(const T* p, std::size_t row, std::size_t first, std::size_t rows,
                      std::size_t width, const std::uint32_t* panels, std::size_t panel_groups,
                      float* out, std::size_t out_row) {
  each_step(rows, [&](std::size_t r, std::size_t n) {
    multiply<T>({.a = words_of(p + r * row),
                 .a_row = row / kGroup<T>,
                 .a_group = 1,
                 .rows = n,
                 .columns = width,
                 .groups = groups_of<T>(first + r + n),
                 .panels = panels,
                 .panel_groups = panel_groups,
                 .into = Into::kFloat,
                 .c = out + r * out_row,
                 .c_row = out_row});
  });
}

// Row `valid` long: p = exp((score − largest) · scale), zeros up to `padded`. Returns the sum;
// `largest` out.
template <class T>
inline float exponentials(const float* scores, std::size_t valid, std::size_t padded, float scale,
                          float& top, T* p) {
  F most = splat(-3e38f);
  each_vector(
      valid, [&](std::size_t i) { most = larger(most, load(scores + i)); },
      [&](std::size_t i, std::size_t count) {
        most = lane_numbers() < static_cast<std::int32_t>(count) ? larger(most, load(scores + i))
                                                                 : most;
      });
  top = largest(most);
  F total = {};
  const F shift = splat(top * scale);
  std::size_t i = 0;
  for (; i + kLanes <= valid; i += kLanes) {
    const F e = exponential(load(scores + i) * scale - shift);
    total += e;
    store(p + i, e);
  }
  if (i < valid) {
    const F e = first_lanes(exponential(load(scores + i) * scale - shift), valid - i);
    total += e;
    store(p + i, e);
    i += kLanes;
  }
  for (; i < padded; i += kLanes) store(p + i, F{});
  return sum(total);
}

template <class T>
void attention(const AttentionHead<T>& head, std::uint32_t* scratch) {
  const std::size_t E = head.width, positions = head.positions;
  const AttentionScratch<T> size(positions, E);
  std::uint32_t* keys = scratch;
  std::uint32_t* values = keys + size.panel;
  float* scores = floats(values + size.rows);
  T* p = reinterpret_cast<T*>(scores + size.scores);
  float* mixed = floats(reinterpret_cast<std::uint32_t*>(p) + size.probabilities);
  pack_transposed_any<T>(head.k, head.row, positions, E, keys);
  pack_rows_any<T>(head.v, head.row, positions, E, values);
  const float scale = 1.0f / std::sqrt(static_cast<float>(E));
  const std::size_t mixed_row = round_up(E, kLanes);
  for (std::size_t query = 0; query < head.queries; ++query) {
    const T* q = head.q + query * E;
    for (std::size_t first = 0; first < positions; first += kQueryRows) {
      const std::size_t last = first + kQueryRows < positions ? first + kQueryRows : positions;
      const std::size_t padded = round_up(last, kLanes);
      block_scores(q + first * head.row, head.row, E, first, last - first, keys, scores, size.keys);
      float inverse[kQueryRows];
      for (std::size_t r = 0; r < last - first; ++r) {
        float top = 0;
        const float total = exponentials(scores + r * size.keys, first + r + 1, padded, scale, top,
                                         p + r * size.keys);
        inverse[r] = 1.0f / total;
        head.log_sum[query * positions + first + r] = top * scale + std::log(total);
      }
      block_mix(p, size.keys, first, last - first, E, values, groups_of<T>(positions), mixed,
                mixed_row);
      for (std::size_t r = 0; r < last - first; ++r) {
        T* out = head.out + (first + r) * head.out_row + query * E;
        const float* from = mixed + r * mixed_row;
        each_vector(
            E, [&](std::size_t i) { store(out + i, load(from + i) * inverse[r]); },
            [&](std::size_t i, std::size_t count) {
              store_part(out + i, load_part(from + i, count) * inverse[r], count);
            });
      }
    }
  }
}

template <class T>
inline float dot_row(const T* a, const T* b, std::size_t count) {
  F total = {};
  each_vector(
      count, [&](std::size_t i) { total += load(a + i) * load(b + i); },
      [&](std::size_t i, std::size_t n) { total += load_part(a + i, n) * load_part(b + i, n); });
  return sum(total);
}

// Everything that one block of query rows needs in the backward pass.
template <class T>
struct BackwardBlock {
  std::size_t first, rows, padded, keys;  // keys: one row of the buffers
  float scale;
  const float *scores, *d_probabilities;
  float log_sum[kQueryRows], d_dot_out[kQueryRows];
};

// dS row by row into `stored`, and P and dS folded into panels over groups of rows. What a row may
// not see is 0 in all of them.
template <class T>
inline void score_gradients(const BackwardBlock<T>& block, T* stored, std::uint32_t* folded_p,
                            std::uint32_t* folded_ds) {
  constexpr std::size_t kRows = kGroup<T>;
  const std::size_t groups = groups_of<T>(kQueryRows);
  for (std::size_t group = 0; group < groups_of<T>(block.rows); ++group) {
    for (std::size_t key = 0; key < block.padded; key += kLanes) {
      F p[2] = {}, ds[2] = {};
      for (std::size_t i = 0; i < kRows; ++i) {
        const std::size_t r = group * kRows + i, seen = block.first + r + 1;
        if (r >= block.rows) continue;
        if (key < seen) {
          p[i] = exponential(load(block.scores + r * block.keys + key) * block.scale -
                             block.log_sum[r]);
          ds[i] = p[i] * (load(block.d_probabilities + r * block.keys + key) - block.d_dot_out[r]) *
                  block.scale;
          if (key + kLanes > seen) {
            p[i] = first_lanes(p[i], seen - key);
            ds[i] = first_lanes(ds[i], seen - key);
          }
        }
        store(stored + r * block.keys + key, ds[i]);
      }
      const std::size_t at = key / kPanelColumns * groups * kPanelColumns + group * kPanelColumns +
                             key % kPanelColumns;
      const U wp = words_across<T>(p[0], p[1]), wds = words_across<T>(ds[0], ds[1]);
      std::memcpy(folded_p + at, &wp, sizeof(U));
      std::memcpy(folded_ds + at, &wds, sizeof(U));
    }
  }
}

// sums[keys up to the last row, E] += foldedᵀ · x for a block of rows that starts at `first`.
template <class T>
inline void add_folded(const std::uint32_t* folded, const T* x, std::size_t row, std::size_t first,
                       std::size_t rows, std::size_t width, std::uint32_t* panel, float* sums,
                       std::size_t sums_row) {
  pack_rows_any<T>(x, row, rows, width, panel);
  const std::size_t groups = groups_of<T>(rows), folded_groups = groups_of<T>(kQueryRows);
  auto add = [&](std::size_t key, std::size_t n, std::size_t skipped) {
    float* c = sums + key * sums_row;
    multiply<T>({.a = folded + key / kPanelColumns * folded_groups * kPanelColumns +
                      key % kPanelColumns + skipped * kPanelColumns,
                 .a_row = 1,
                 .a_group = kPanelColumns,
                 .rows = n,
                 .columns = width,
                 .groups = groups - skipped,
                 .panels = panel + skipped * kPanelColumns,
                 .panel_groups = groups,
                 .into = Into::kFloatAdded,
                 .c = c,
                 .base = c,
                 .c_row = sums_row,
                 .base_row = sums_row});
  };
  for (std::size_t key = 0; key < first; key += kPanelColumns) add(key, kPanelColumns, 0);
  each_step(rows, [&](std::size_t r, std::size_t n) { add(first + r, n, r / kGroup<T>); });
}

template <class T>
inline void store_rows(const float* from, std::size_t from_row, std::size_t rows, std::size_t width,
                       T* to, std::size_t to_row) {
  for (std::size_t r = 0; r < rows; ++r) {
    T* out = to + r * to_row;
    const float* in = from + r * from_row;
    each_vector(
        width, [&](std::size_t i) { store(out + i, load(in + i)); },
        [&](std::size_t i, std::size_t n) { store_part(out + i, load_part(in + i, n), n); });
  }
}

template <class T>
void attention_backward(const AttentionHead<T>& head, std::uint32_t* scratch) {
  const std::size_t E = head.width, positions = head.positions;
  const AttentionScratch<T> size(positions, E);
  const std::size_t sums_row = round_up(E, kLanes);
  std::uint32_t* next = scratch;
  auto take = [&next](std::size_t words) { return std::exchange(next, next + words); };
  std::uint32_t* keys = take(size.panel);
  std::uint32_t* values = take(size.panel);
  std::uint32_t* key_rows = take(size.rows);
  float* scores = floats(take(size.scores));
  float* d_probabilities = floats(take(size.scores));
  T* ds = reinterpret_cast<T*>(take(size.probabilities));
  std::uint32_t* folded_p = take(size.folded);
  std::uint32_t* folded_ds = take(size.folded);
  std::uint32_t* wide = take(size.wide);
  float* dq = floats(take(size.out));
  float* dk = floats(take(size.out));
  float* dv = floats(take(size.out));
  pack_transposed_any<T>(head.k, head.row, positions, E, keys);
  pack_transposed_any<T>(head.v, head.row, positions, E, values);
  pack_rows_any<T>(head.k, head.row, positions, E, key_rows);
  std::memset(dk, 0, positions * sums_row * sizeof(float));
  std::memset(dv, 0, positions * sums_row * sizeof(float));
  for (std::size_t query = 0; query < head.queries; ++query) {
    for (std::size_t first = 0; first < positions; first += kQueryRows) {
      const std::size_t last = first + kQueryRows < positions ? first + kQueryRows : positions;
      const std::size_t rows = last - first;
      T* q = head.q + first * head.row + query * E;
      const T* out = head.out + first * head.out_row + query * E;
      const T* d_out = head.d_out + first * head.out_row + query * E;
      block_scores(q, head.row, E, first, rows, keys, scores, size.keys);
      block_scores(d_out, head.out_row, E, first, rows, values, d_probabilities, size.keys);
      BackwardBlock<T> block{first,
                             rows,
                             round_up(last, kLanes),
                             size.keys,
                             1.0f / std::sqrt(static_cast<float>(E)),
                             scores,
                             d_probabilities,
                             {},
                             {}};
      for (std::size_t r = 0; r < rows; ++r) {
        block.log_sum[r] = head.log_sum[query * positions + first + r];
        block.d_dot_out[r] = dot_row(d_out + r * head.out_row, out + r * head.out_row, E);
      }
      score_gradients(block, ds, folded_p, folded_ds);
      add_folded<T>(folded_p, d_out, head.out_row, first, rows, E, wide, dv, sums_row);
      add_folded<T>(folded_ds, q, head.row, first, rows, E, wide, dk, sums_row);
      block_mix(ds, size.keys, first, rows, E, key_rows, groups_of<T>(positions), dq, sums_row);
      store_rows(dq, sums_row, rows, E, q, head.row);
    }
  }
  store_rows(dk, sums_row, positions, E, head.k, head.row);
  store_rows(dv, sums_row, positions, E, head.v, head.row);
}

}  // namespace muster::trainer::MUSTER_KERNELS
