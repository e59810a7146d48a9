// Causal attention in tiles, forward and backward, without ever holding a sequence's scores: Dao,
// "FlashAttention-2" (arXiv 2307.08691), on mma.sync. The backward pass is two kernels, one for
// queries and one for keys and values, which compute scores twice but add nothing atomically: the
// same bits on every run.
//
// Scores, and log_sum, are in units of log 2. Thread safety: kernels.
#pragma once

#include "cuda/llama/plain_attention.h"
#include "cuda/llama/tiles.cuh"

namespace muster::gpu {

inline constexpr float kLog2E = 1.4426950408889634f;

// Sizes of the tiles for heads of width E: a warp has 16 · kRowTiles query rows forward, 16
// backward.
template <int E>
struct FlashSizes {
  static constexpr int kWarps = 4, kBlockThreads = 32 * kWarps;
  static constexpr int kRowTiles = E <= 64 ? 2 : 1;
  static constexpr int kForwardRows = 16 * kRowTiles * kWarps;
  static constexpr int kKeys = 64;  // of a tile, forward and for the gradient of queries
  static constexpr int kBackwardRows = 16 * kWarps;   // queries, or keys, of a block
  static constexpr int kQueries = E <= 64 ? 64 : 32;  // of a tile, for the gradient of keys
  static constexpr int kForwardBytes = 2 * E * (kForwardRows + 4 * kKeys);
  static constexpr int kQueryBytes = 2 * E * (2 * kBackwardRows + 4 * kKeys);
  static constexpr int kKeyBytes = 2 * E * (2 * kBackwardRows + 4 * kQueries) + 4 * 4 * kQueries;
};

struct FlashForward {
  AttentionShape shape;
  const Bf16* qkv = nullptr;
  Bf16* out = nullptr;
  float* log_sum = nullptr;
  float scale = 1;  // E^-½ · log₂ e
};

// Products of a warp's rows with all rows of a tile, summed over the E columns of both.
template <int E, int kTileRows>
__device__ __forceinline__ void scores_of(Accumulator (&s)[kTileRows / 8],
                                          const FragmentA (&left)[E / 16], const Bf16* tile) {
#pragma unroll
  for (int n = 0; n < kTileRows / 8; ++n) s[n] = {};
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
#pragma unroll
    for (int n = 0; n < kTileRows / 16; ++n) {
      std::uint32_t r[4];
      right_by_rows<E>(r, tile, n, k);
      multiply_add(s[2 * n], left[k], r[0], r[1]);
      multiply_add(s[2 * n + 1], left[k], r[2], r[3]);
    }
  }
}
// … and the other way round: weights of a warp's rows for all rows of a tile, times those rows.
template <int E, int kTileRows>
__device__ __forceinline__ void add_weighted(Accumulator (&sum)[E / 8],
                                             const Accumulator (&weights)[kTileRows / 8],
                                             const Bf16* tile) {
#pragma unroll
  for (int k = 0; k < kTileRows / 16; ++k) {
    const FragmentA left = left_from(weights[2 * k], weights[2 * k + 1]);
#pragma unroll
    for (int n = 0; n < E / 16; ++n) {
      std::uint32_t r[4];
      right_by_columns<E>(r, tile, n, k);
      multiply_add(sum[2 * n], left, r[0], r[1]);
      multiply_add(sum[2 * n + 1], left, r[2], r[3]);
    }
  }
}

// The largest of a row's numbers, which four neighbouring lanes hold; their sum.
__device__ __forceinline__ float largest_of_four(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffff, x, 2));
}
__device__ __forceinline__ float sum_of_four(float x) {
  x += __shfl_xor_sync(0xffffffff, x, 1);
  return x + __shfl_xor_sync(0xffffffff, x, 2);
}

// What a warp keeps of 16 query rows.
template <int E>
struct OnlineRows {
  Accumulator out[E / 8];
  float top[2],
      sum[2];  // of rows g and g + 8: the largest product so far; this lane's part of the sum
};

// Takes a tile of keys into the rows. `first_key` is the tile's, `row` row g's position.
template <int E, int kKeys>
__device__ __forceinline__ void take_tile(OnlineRows<E>& rows, Accumulator (&s)[kKeys / 8], int row,
                                          int first_key, bool is_cut, float scale) {
  const int t = static_cast<int>(threadIdx.x) % 4;
  if (is_cut) {
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (first_key + 8 * n + 2 * t + i % 2 > row + i / 2 * 8) s[n].x[i] = -INFINITY;
  }
  float top[2] = {rows.top[0], rows.top[1]};
#pragma unroll
  for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) top[i / 2] = fmaxf(top[i / 2], s[n].x[i]);
  float base[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    top[half] = largest_of_four(top[half]);
    base[half] = top[half] * scale;
    const float kept = exp2f((rows.top[half] - top[half]) * scale);
    rows.top[half] = top[half];
    rows.sum[half] *= kept;
#pragma unroll
    for (int n = 0; n < E / 8; ++n) {
      rows.out[n].x[2 * half] *= kept;
      rows.out[n].x[2 * half + 1] *= kept;
    }
  }
#pragma unroll
  for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      s[n].x[i] = exp2f(s[n].x[i] * scale - base[i / 2]);
      rows.sum[i / 2] += s[n].x[i];
    }
  }
}

// Grid: tiles of queries, the longest first; heads; sequences.
template <int E>
__global__ void __launch_bounds__(FlashSizes<E>::kBlockThreads)
    flash_forward_kernel(FlashForward task) {
  using Sizes = FlashSizes<E>;
  constexpr int kRows = Sizes::kForwardRows, kKeys = Sizes::kKeys, kTile = kKeys * E;
  extern __shared__ __align__(128) unsigned char shared[];
  Bf16* const queries = reinterpret_cast<Bf16*>(shared);
  Bf16* const keys = queries + kRows * E;  // two tiles of keys, then two of values
  Bf16* const values = keys + 2 * kTile;

  const AttentionShape& shape = task.shape;
  const int length = static_cast<int>(shape.length), head = static_cast<int>(blockIdx.y);
  const int first = static_cast<int>(gridDim.x - 1 - blockIdx.x) * kRows,
            valid = min(kRows, length - first);
  const std::size_t row = shape.row(), begin = blockIdx.z * shape.length;
  const Bf16* const q = task.qkv + (begin + first) * row + head * E;
  const Bf16* const k = task.qkv + begin * row + shape.keys() + head / shape.queries_per_key() * E;
  const Bf16* const v = k + shape.kv_heads * E;
  const auto fetch = [&](int tile) {
    const int at = tile * kKeys, stage = tile % 2 * kTile;
    copy_tile<kKeys, E, Sizes::kBlockThreads>(keys + stage, k + at * row, row, length - at);
    copy_tile<kKeys, E, Sizes::kBlockThreads>(values + stage, v + at * row, row, length - at);
    close_copies();
  };
  copy_tile<kRows, E, Sizes::kBlockThreads>(queries, q, row, valid);
  fetch(0);
  wait_for_copies();
  __syncthreads();

  const int warp = static_cast<int>(threadIdx.x) / 32, g = static_cast<int>(threadIdx.x) % 32 / 4;
  const int warp_row = 16 * Sizes::kRowTiles * warp;
  FragmentA left[Sizes::kRowTiles][E / 16];
  OnlineRows<E> rows[Sizes::kRowTiles];
#pragma unroll
  for (int r = 0; r < Sizes::kRowTiles; ++r) {
#pragma unroll
    for (int i = 0; i < E / 16; ++i) left[r][i] = left_of<E>(queries, warp_row + 16 * r, i);
#pragma unroll
    for (int n = 0; n < E / 8; ++n) rows[r].out[n] = {};
    rows[r].top[0] = rows[r].top[1] = -1e30f;
    rows[r].sum[0] = rows[r].sum[1] = 0;
  }

  const int tiles = (first + valid + kKeys - 1) / kKeys;
  for (int tile = 0; tile < tiles; ++tile) {
    if (tile > 0) {
      wait_for_copies();
      __syncthreads();
    }
    if (tile + 1 < tiles) fetch(tile + 1);
    const Bf16 *const key_tile = keys + tile % 2 * kTile, *const value_tile =
                                                              values + tile % 2 * kTile;
    const int first_key = tile * kKeys, last_row = first + warp_row + 16 * Sizes::kRowTiles - 1;
    if (first_key > last_row) continue;
    Accumulator s[Sizes::kRowTiles][kKeys / 8];
#pragma unroll
    for (int r = 0; r < Sizes::kRowTiles; ++r)
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n) s[r][n] = {};
#pragma unroll
    for (int i = 0; i < E / 16; ++i) {
#pragma unroll
      for (int n = 0; n < kKeys / 16; ++n) {
        std::uint32_t b[4];
        right_by_rows<E>(b, key_tile, n, i);
#pragma unroll
        for (int r = 0; r < Sizes::kRowTiles; ++r) {
          multiply_add(s[r][2 * n], left[r][i], b[0], b[1]);
          multiply_add(s[r][2 * n + 1], left[r][i], b[2], b[3]);
        }
      }
    }
#pragma unroll
    for (int r = 0; r < Sizes::kRowTiles; ++r) {
      const int at = first + warp_row + 16 * r;
      take_tile<E, kKeys>(rows[r], s[r], at + g, first_key, first_key + kKeys - 1 > at, task.scale);
    }
#pragma unroll
    for (int i = 0; i < kKeys / 16; ++i) {
      FragmentA weights[Sizes::kRowTiles];
#pragma unroll
      for (int r = 0; r < Sizes::kRowTiles; ++r)
        weights[r] = left_from(s[r][2 * i], s[r][2 * i + 1]);
#pragma unroll
      for (int n = 0; n < E / 16; ++n) {
        std::uint32_t b[4];
        right_by_columns<E>(b, value_tile, n, i);
#pragma unroll
        for (int r = 0; r < Sizes::kRowTiles; ++r) {
          multiply_add(rows[r].out[2 * n], weights[r], b[0], b[1]);
          multiply_add(rows[r].out[2 * n + 1], weights[r], b[2], b[3]);
        }
      }
    }
  }

  __syncthreads();  // the queries' tile takes the results
#pragma unroll
  for (int r = 0; r < Sizes::kRowTiles; ++r) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = sum_of_four(rows[r].sum[half]), factor = 1.0f / sum;
#pragma unroll
      for (int n = 0; n < E / 8; ++n) {
        rows[r].out[n].x[2 * half] *= factor;
        rows[r].out[n].x[2 * half + 1] *= factor;
      }
      const int at = first + warp_row + 16 * r + g + 8 * half;
      if (threadIdx.x % 4 == 0 && at < length)
        task.log_sum[(blockIdx.z * shape.heads + head) * length + at] =
            rows[r].top[half] * task.scale + log2f(sum);
    }
    put_rows<E>(queries, warp_row + 16 * r, rows[r].out);
  }
  __syncthreads();
  write_tile<kRows, E, Sizes::kBlockThreads>(
      task.out + (begin + first) * shape.out_row() + head * E, shape.out_row(), queries, valid);
}

struct FlashBackward {
  AttentionBackward<Bf16> of;  // scale: E^-½
  const float *cosines = nullptr, *sines = nullptr;
};

// Grid: tiles of queries, the longest first; heads; sequences.
template <int E>
__global__ void __launch_bounds__(FlashSizes<E>::kBlockThreads)
    flash_query_gradient_kernel(FlashBackward task) {
  using Sizes = FlashSizes<E>;
  constexpr int kRows = Sizes::kBackwardRows, kKeys = Sizes::kKeys, kTile = kKeys * E;
  extern __shared__ __align__(128) unsigned char shared[];
  Bf16* const queries = reinterpret_cast<Bf16*>(shared);
  Bf16* const d_outs = queries + kRows * E;
  Bf16* const keys = d_outs + kRows * E;
  Bf16* const values = keys + 2 * kTile;

  const AttentionShape& shape = task.of.shape;
  const int length = static_cast<int>(shape.length), head = static_cast<int>(blockIdx.y);
  const int first = static_cast<int>(gridDim.x - 1 - blockIdx.x) * kRows,
            valid = min(kRows, length - first);
  const std::size_t row = shape.row(), begin = blockIdx.z * shape.length;
  const Bf16* const k =
      task.of.qkv + begin * row + shape.keys() + head / shape.queries_per_key() * E;
  const Bf16* const v = k + shape.kv_heads * E;
  const auto fetch = [&](int tile) {
    const int at = tile * kKeys, stage = tile % 2 * kTile;
    copy_tile<kKeys, E, Sizes::kBlockThreads>(keys + stage, k + at * row, row, length - at);
    copy_tile<kKeys, E, Sizes::kBlockThreads>(values + stage, v + at * row, row, length - at);
    close_copies();
  };
  copy_tile<kRows, E, Sizes::kBlockThreads>(queries, task.of.qkv + (begin + first) * row + head * E,
                                            row, valid);
  copy_tile<kRows, E, Sizes::kBlockThreads>(
      d_outs, task.of.d_out + (begin + first) * shape.out_row() + head * E, shape.out_row(), valid);
  fetch(0);
  wait_for_copies();
  __syncthreads();

  const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const int warp_row = 16 * (static_cast<int>(threadIdx.x) / 32), at = first + warp_row;
  FragmentA left[E / 16], d_left[E / 16];
#pragma unroll
  for (int i = 0; i < E / 16; ++i) {
    left[i] = left_of<E>(queries, warp_row, i);
    d_left[i] = left_of<E>(d_outs, warp_row, i);
  }
  float log_sum[2], delta[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int position = at + g + 8 * half;
    const std::size_t place = (blockIdx.z * shape.heads + head) * length + position;
    log_sum[half] = position < length ? task.of.log_sum[place] : 0;
    delta[half] = position < length ? task.of.delta[place] : 0;
  }
  Accumulator gradient[E / 8] = {};
  const float scale = task.of.scale * kLog2E;

  const int tiles = (first + valid + kKeys - 1) / kKeys;
  for (int tile = 0; tile < tiles; ++tile) {
    if (tile > 0) {
      wait_for_copies();
      __syncthreads();
    }
    if (tile + 1 < tiles) fetch(tile + 1);
    const Bf16* const key_tile = keys + tile % 2 * kTile;
    const int first_key = tile * kKeys;
    if (first_key > at + 15) continue;
    Accumulator s[kKeys / 8], d[kKeys / 8];
    scores_of<E, kKeys>(s, left, key_tile);
    scores_of<E, kKeys>(d, d_left, values + tile % 2 * kTile);
    if (first_key + kKeys - 1 > at) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i)
          if (first_key + 8 * n + 2 * t + i % 2 > at + g + i / 2 * 8) s[n].x[i] = -INFINITY;
    }
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        s[n].x[i] = exp2f(s[n].x[i] * scale - log_sum[i / 2]) * (d[n].x[i] - delta[i / 2]);
    add_weighted<E, kKeys>(gradient, s, key_tile);
  }

#pragma unroll
  for (int n = 0; n < E / 8; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) gradient[n].x[i] *= task.of.scale;
  turn_back<E>(gradient, task.cosines, task.sines, at + g, length);
  __syncthreads();
  put_rows<E>(queries, warp_row, gradient);
  __syncthreads();
  write_tile<kRows, E, Sizes::kBlockThreads>(task.of.d_qkv + (begin + first) * row + head * E, row,
                                             queries, valid);
}

// Grid: tiles of keys, the first, which most queries see, first; key heads; sequences.
template <int E>
__global__ void __launch_bounds__(FlashSizes<E>::kBlockThreads)
    flash_key_gradient_kernel(FlashBackward task) {
  using Sizes = FlashSizes<E>;
  constexpr int kRows = Sizes::kBackwardRows, kQueries = Sizes::kQueries, kTile = kQueries * E;
  extern __shared__ __align__(128) unsigned char shared[];
  Bf16* const keys = reinterpret_cast<Bf16*>(shared);
  Bf16* const values = keys + kRows * E;
  Bf16* const queries = values + kRows * E;
  Bf16* const d_outs = queries + 2 * kTile;
  float* const log_sums = reinterpret_cast<float*>(d_outs + 2 * kTile);
  float* const deltas = log_sums + 2 * kQueries;

  const AttentionShape& shape = task.of.shape;
  const int length = static_cast<int>(shape.length), key_head = static_cast<int>(blockIdx.y);
  const int first = static_cast<int>(blockIdx.x) * kRows, valid = min(kRows, length - first);
  const std::size_t row = shape.row(), begin = blockIdx.z * shape.length;
  const int group = static_cast<int>(shape.queries_per_key());
  const int first_tile = first / kQueries, tiles = (length + kQueries - 1) / kQueries - first_tile;
  const auto fetch = [&](int turn) {
    const int head = key_head * group + turn / tiles, at = (first_tile + turn % tiles) * kQueries;
    const int stage = turn % 2;
    copy_tile<kQueries, E, Sizes::kBlockThreads>(
        queries + stage * kTile, task.of.qkv + (begin + at) * row + head * E, row, length - at);
    copy_tile<kQueries, E, Sizes::kBlockThreads>(
        d_outs + stage * kTile, task.of.d_out + (begin + at) * shape.out_row() + head * E,
        shape.out_row(), length - at);
    const int i = static_cast<int>(threadIdx.x);
    const std::size_t place = (blockIdx.z * shape.heads + head) * length;
    if (i < kQueries) {
      const bool exists = at + i < length;
      const std::size_t from = place + (exists ? at + i : 0);
      copy_4(log_sums + stage * kQueries + i, task.of.log_sum + from, exists);
      copy_4(deltas + stage * kQueries + i, task.of.delta + from, exists);
    }
    close_copies();
  };
  const Bf16* const k = task.of.qkv + (begin + first) * row + shape.keys() + key_head * E;
  copy_tile<kRows, E, Sizes::kBlockThreads>(keys, k, row, valid);
  copy_tile<kRows, E, Sizes::kBlockThreads>(values, k + shape.kv_heads * E, row, valid);
  fetch(0);
  wait_for_copies();
  __syncthreads();

  const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const int warp_row = 16 * (static_cast<int>(threadIdx.x) / 32), at = first + warp_row;
  FragmentA key_left[E / 16], value_left[E / 16];
#pragma unroll
  for (int i = 0; i < E / 16; ++i) {
    key_left[i] = left_of<E>(keys, warp_row, i);
    value_left[i] = left_of<E>(values, warp_row, i);
  }
  Accumulator d_keys[E / 8] = {}, d_values[E / 8] = {};
  const float scale = task.of.scale * kLog2E;

  for (int turn = 0; turn < group * tiles; ++turn) {
    if (turn > 0) {
      wait_for_copies();
      __syncthreads();
    }
    if (turn + 1 < group * tiles) fetch(turn + 1);
    const int stage = turn % 2, first_query = (first_tile + turn % tiles) * kQueries;
    const Bf16 *const query_tile = queries + stage * kTile, *const d_out_tile =
                                                                d_outs + stage * kTile;
    if (first_query + kQueries - 1 < at) continue;
    Accumulator s[kQueries / 8], d[kQueries / 8];
    scores_of<E, kQueries>(s, key_left, query_tile);
    scores_of<E, kQueries>(d, value_left, d_out_tile);
    if (first_query < at + 15) {
#pragma unroll
      for (int n = 0; n < kQueries / 8; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i)
          if (first_query + 8 * n + 2 * t + i % 2 < at + g + i / 2 * 8) s[n].x[i] = -INFINITY;
    }
#pragma unroll
    for (int n = 0; n < kQueries / 8; ++n) {
      const float2 log_sum =
          *reinterpret_cast<const float2*>(log_sums + stage * kQueries + 8 * n + 2 * t);
      const float2 delta =
          *reinterpret_cast<const float2*>(deltas + stage * kQueries + 8 * n + 2 * t);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float weight = exp2f(s[n].x[i] * scale - (i % 2 == 0 ? log_sum.x : log_sum.y));
        s[n].x[i] = weight;
        d[n].x[i] = weight * (d[n].x[i] - (i % 2 == 0 ? delta.x : delta.y));
      }
    }
    add_weighted<E, kQueries>(d_values, s, d_out_tile);
    add_weighted<E, kQueries>(d_keys, d, query_tile);
  }

#pragma unroll
  for (int n = 0; n < E / 8; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) d_keys[n].x[i] *= task.of.scale;
  turn_back<E>(d_keys, task.cosines, task.sines, at + g, length);
  __syncthreads();
  put_rows<E>(keys, warp_row, d_keys);
  put_rows<E>(values, warp_row, d_values);
  __syncthreads();
  Bf16* const d = task.of.d_qkv + (begin + first) * row + shape.keys() + key_head * E;
  write_tile<kRows, E, Sizes::kBlockThreads>(d, row, keys, valid);
  write_tile<kRows, E, Sizes::kBlockThreads>(d + shape.kv_heads * E, row, values, valid);
}

}  // namespace muster::gpu
