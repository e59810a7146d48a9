// Causal attention of one key/value head and the query heads that share it, and its gradient.
//
// Queries go in blocks of 64 rows whose scores with all earlier keys stay in the second-level cache; keys
// and values are packed once per call (FlashAttention's recomputation from saved row sums, arXiv
// 2205.14135, without its blocks over keys).
#pragma once

#include <cmath>
#include <utility>

#include "trainer/kernels/impl/pack.h"
#include "trainer/kernels/impl/product.h"

namespace muster::trainer::MUSTER_KERNELS {

constexpr std::size_t kQueryRows = 64;

constexpr std::size_t round_up(std::size_t count, std::size_t to) { return (count + to - 1) / to * to; }

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

// scores[rows, keys] = x · panelsᵀ for the block's rows.
template <class T>
inline void block_scores(const T* x, std::size_t row, std::size_t width, std::size_t rows, std::size_t keys,
                         const std::uint32_t* panels, float* scores, std::size_t scores_row) {
  multiply<T>({.a = words_of(x), .a_row = row / kGroup<T>, .a_group = 1, .rows = rows, .columns = keys,
               .groups = groups_of<T>(width), .panels = panels, .panel_groups = groups_of<T>(width),
               .into = Into::kFloat, .c = scores, .c_row = scores_row});
}

// Row `valid` long: p = exp((score − largest) · scale), zeros up to `padded`. Returns the sum; `largest` out.
template <class T>
inline float exponentials(const float* scores, std::size_t valid, std::size_t padded, float scale,
                          float& top, T* p) {
  F most = splat(-3e38f);
  each_vector(valid, [&](std::size_t i) { most = larger(most, load(scores + i)); },
              [&](std::size_t i, std::size_t count) {
                for (std::size_t j = 0; j < count; ++j) most[j] = most[j] > scores[i + j] ? most[j] : scores[i + j];
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
    F e = exponential(load_part(scores + i, valid - i) * scale - shift);
    for (std::size_t j = valid - i; j < kLanes; ++j) e[j] = 0;
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
      block_scores(q + first * head.row, head.row, E, last - first, last, keys, scores, size.keys);
      float inverse[kQueryRows];
      for (std::size_t r = 0; r < last - first; ++r) {
        float top = 0;
        const float total = exponentials(scores + r * size.keys, first + r + 1, padded, scale, top, p + r * size.keys);
        inverse[r] = 1.0f / total;
        head.log_sum[query * positions + first + r] = top * scale + std::log(total);
      }
      multiply<T>({.a = words_of(p), .a_row = size.keys / kGroup<T>, .a_group = 1, .rows = last - first,
                   .columns = E, .groups = groups_of<T>(last), .panels = values,
                   .panel_groups = groups_of<T>(positions), .into = Into::kFloat, .c = mixed, .c_row = mixed_row});
      for (std::size_t r = 0; r < last - first; ++r) {
        T* out = head.out + (first + r) * head.out_row + query * E;
        const float* from = mixed + r * mixed_row;
        each_vector(E, [&](std::size_t i) { store(out + i, load(from + i) * inverse[r]); },
                    [&](std::size_t i, std::size_t count) {
                      store_part(out + i, load_part(from + i, count) * inverse[r], count);
                    });
      }
    }
  }
}

// Probabilities of 16 keys in one row: exp(score · scale − log_sum), 0 behind the row's own position.
inline F probability(const float* scores, std::size_t key, std::size_t own, float scale, float log_sum) {
  F p = exponential(load(scores + key) * scale - log_sum);
  if (key + kLanes > own + 1) {
    for (std::size_t j = 0; j < kLanes; ++j) p[j] = key + j > own ? 0.0f : p[j];
  }
  return p;
}

template <class T>
inline float dot_row(const T* a, const T* b, std::size_t count) {
  F total = {};
  each_vector(count, [&](std::size_t i) { total += load(a + i) * load(b + i); },
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

// dS row by row into `stored`, and P and dS folded into panels over groups of rows.
template <class T>
inline void score_gradients(const BackwardBlock<T>& block, T* stored, std::uint32_t* folded_p,
                            std::uint32_t* folded_ds) {
  constexpr std::size_t kRows = kGroup<T>;
  const std::size_t groups = groups_of<T>(kQueryRows);
  for (std::size_t group = 0; group < groups; ++group) {
    for (std::size_t key = 0; key < block.padded; key += kLanes) {
      F p[2] = {}, ds[2] = {};
      for (std::size_t i = 0; i < kRows; ++i) {
        const std::size_t r = group * kRows + i;
        if (r >= block.rows) continue;
        p[i] = probability(block.scores + r * block.keys, key, block.first + r, block.scale, block.log_sum[r]);
        ds[i] = p[i] * (load(block.d_probabilities + r * block.keys + key) - block.d_dot_out[r]) * block.scale;
        for (std::size_t j = 0; key + kLanes > block.first + r + 1 && j < kLanes; ++j)
          ds[i][j] = key + j > block.first + r ? 0.0f : ds[i][j];
        store(stored + r * block.keys + key, ds[i]);
      }
      const std::size_t at = key / kPanelColumns * groups * kPanelColumns + group * kPanelColumns + key % kPanelColumns;
      const U wp = words_across<T>(p[0], p[1]), wds = words_across<T>(ds[0], ds[1]);
      std::memcpy(folded_p + at, &wp, sizeof(U));
      std::memcpy(folded_ds + at, &wds, sizeof(U));
    }
  }
}

// sums[keys, E] += foldedᵀ · x for the block's rows of x.
template <class T>
inline void add_folded(const std::uint32_t* folded, const T* x, std::size_t row, std::size_t rows, std::size_t keys,
                       std::size_t width, std::uint32_t* panel, float* sums, std::size_t sums_row) {
  pack_rows_any<T>(x, row, rows, width, panel);
  const std::size_t groups = groups_of<T>(kQueryRows);
  for (std::size_t key = 0; key < keys; key += kPanelColumns)
    multiply<T>({.a = folded + key * groups, .a_row = 1, .a_group = kPanelColumns,
                 .rows = keys - key < kPanelColumns ? keys - key : kPanelColumns, .columns = width,
                 .groups = groups_of<T>(rows), .panels = panel, .panel_groups = groups_of<T>(rows),
                 .into = Into::kFloatAdded, .c = sums + key * sums_row, .base = sums + key * sums_row,
                 .c_row = sums_row, .base_row = sums_row});
}

template <class T>
inline void store_rows(const float* from, std::size_t from_row, std::size_t rows, std::size_t width, T* to,
                       std::size_t to_row) {
  for (std::size_t r = 0; r < rows; ++r) {
    T* out = to + r * to_row;
    const float* in = from + r * from_row;
    each_vector(width, [&](std::size_t i) { store(out + i, load(in + i)); },
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
      block_scores(q, head.row, E, rows, last, keys, scores, size.keys);
      block_scores(d_out, head.out_row, E, rows, last, values, d_probabilities, size.keys);
      BackwardBlock<T> block{first, rows, round_up(last, kLanes), size.keys, 1.0f / std::sqrt(static_cast<float>(E)),
                             scores, d_probabilities, {}, {}};
      for (std::size_t r = 0; r < rows; ++r) {
        block.log_sum[r] = head.log_sum[query * positions + first + r];
        block.d_dot_out[r] = dot_row(d_out + r * head.out_row, out + r * head.out_row, E);
      }
      score_gradients(block, ds, folded_p, folded_ds);
      add_folded<T>(folded_p, d_out, head.out_row, rows, last, E, wide, dv, sums_row);
      add_folded<T>(folded_ds, q, head.row, rows, last, E, wide, dk, sums_row);
      multiply<T>({.a = words_of(ds), .a_row = size.keys / kGroup<T>, .a_group = 1, .rows = rows, .columns = E,
                   .groups = groups_of<T>(last), .panels = key_rows, .panel_groups = groups_of<T>(positions),
                   .into = Into::kFloat, .c = dq, .c_row = sums_row});
      store_rows(dq, sums_row, rows, E, q, head.row);
    }
  }
  store_rows(dk, sums_row, positions, E, head.k, head.row);
  store_rows(dv, sums_row, positions, E, head.v, head.row);
}

}  // namespace muster::trainer::MUSTER_KERNELS
