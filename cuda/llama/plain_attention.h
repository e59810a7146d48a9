// Causal attention row by row: what the fp32 mode computes with, and the measure for the fast
// kernels.
//
// A team takes one row: a query, or a key with all queries behind it; scores stand in shared
// memory, so that sequences have at most 4096 tokens. log_sum and delta are [B, H, T]. Thread
// safety: values.
#pragma once

#include "cuda/llama/attention_shape.h"
#include "cuda/llama/norm_tasks.h"

namespace muster::gpu {

inline constexpr std::size_t kAttentionLengthMax = 4096;

struct AttentionPlace {
  std::size_t sequence, head, position;
};
// Of block ((sequence · heads) + head) · length + position.
MUSTER_BOTH AttentionPlace place_of(std::uint64_t block, std::size_t heads, std::size_t length) {
  return {block / length / heads, block / length % heads, block % length};
}

template <class T>
MUSTER_BOTH float dot(const T* a, const T* b, std::size_t width) {
  float sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += to_float(a[i]) * to_float(b[i]);
  return sum;
}

// B · H · T blocks.
template <class T>
struct PlainAttentionTask {
  AttentionShape shape;
  const T* qkv = nullptr;  // rotated
  T* out = nullptr;
  float* log_sum = nullptr;
  float scale = 1;  // E^-½

  struct Shared {
    float weights[kAttentionLengthMax];
  };
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared& shared, std::uint64_t block) const {
    const AttentionPlace at = place_of(block, shape.heads, shape.length);
    const std::size_t E = shape.head_width, first = at.sequence * shape.length;
    const T* q = qkv + (first + at.position) * shape.row() + at.head * E;
    const T* k = qkv + first * shape.row() + shape.keys() + at.head / shape.queries_per_key() * E;
    const T* v = k + shape.kv_heads * E;
    typename Team::template Own<float> tops, sums;
    team.each([&](unsigned t) {
      float most = -3e38f;
      for (std::size_t i = t; i <= at.position; i += kThreads) {
        shared.weights[i] = dot(q, k + i * shape.row(), E) * scale;
        most = shared.weights[i] > most ? shared.weights[i] : most;
      }
      tops.of(t) = most;
    });
    const float top = team.top(tops);
    team.each([&](unsigned t) {
      float sum = 0;
      for (std::size_t i = t; i <= at.position; i += kThreads)
        sum += shared.weights[i] = exponential(shared.weights[i] - top);
      sums.of(t) = sum;
    });
    const float all = team.total(sums);
    team.each([&](unsigned t) {
      if (t == 0) log_sum[block] = top + logarithm(all);
      if (t >= E) return;
      float sum = 0;
      for (std::size_t i = 0; i <= at.position; ++i)
        sum += shared.weights[i] * to_float(v[i * shape.row() + t]);
      out[(first + at.position) * shape.out_row() + at.head * E + t] = rounded_to<T>(sum / all);
    });
  }
};

// delta = Σ dO · O of each head's row. element_blocks(M · heads · E) blocks; E is a multiple of 8
// that divides 2048.
template <class T>
struct AttentionDeltaTask {
  AttentionShape shape;
  const T *out = nullptr, *d_out = nullptr;
  float* delta = nullptr;

  struct Shared {
    float sums[kThreads];
  };
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared& shared, std::uint64_t block) const {
    const std::size_t eights = shape.head_width / kEight, rows = kThreads / eights;
    team.each([&](unsigned t) {
      const std::size_t item = block * kThreads + t;
      float sum = 0;
      if (item < shape.sequences * shape.length * shape.heads * eights) {
        const Few<8> a = load<8>(out + item * kEight), b = load<8>(d_out + item * kEight);
        MUSTER_UNROLL
        for (unsigned j = 0; j < 8; ++j) sum += a.x[j] * b.x[j];
      }
      shared.sums[t] = sum;
    });
    team.sync();
    team.each([&](unsigned t) {
      const std::size_t item = block * rows + t, m = item / shape.heads, head = item % shape.heads;
      if (t >= rows || m >= shape.sequences * shape.length) return;
      float sum = 0;
      for (std::size_t i = 0; i < eights; ++i) sum += shared.sums[t * eights + i];
      delta[(m / shape.length * shape.heads + head) * shape.length + m % shape.length] = sum;
    });
  }
};

template <class T>
struct AttentionBackward {
  AttentionShape shape;
  const T* qkv = nullptr;
  const T* d_out = nullptr;
  const float *log_sum = nullptr, *delta = nullptr;
  T* d_qkv = nullptr;  // rotated as q and k are
  float scale = 1;
};

// The gradient of queries. B · H · T blocks.
template <class T>
struct PlainQueryGradientTask {
  AttentionBackward<T> of;

  struct Shared {
    float d_scores[kAttentionLengthMax];
  };
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared& shared, std::uint64_t block) const {
    const AttentionShape& shape = of.shape;
    const AttentionPlace at = place_of(block, shape.heads, shape.length);
    const std::size_t E = shape.head_width, first = at.sequence * shape.length,
                      m = first + at.position;
    const T* q = of.qkv + m * shape.row() + at.head * E;
    const T* d_out = of.d_out + m * shape.out_row() + at.head * E;
    const T* k =
        of.qkv + first * shape.row() + shape.keys() + at.head / shape.queries_per_key() * E;
    const T* v = k + shape.kv_heads * E;
    team.each([&](unsigned t) {
      for (std::size_t i = t; i <= at.position; i += kThreads) {
        const float weight =
            exponential(dot(q, k + i * shape.row(), E) * of.scale - of.log_sum[block]);
        shared.d_scores[i] =
            weight * (dot(d_out, v + i * shape.row(), E) - of.delta[block]) * of.scale;
      }
    });
    team.sync();
    team.each([&](unsigned t) {
      if (t >= E) return;
      float sum = 0;
      for (std::size_t i = 0; i <= at.position; ++i)
        sum += shared.d_scores[i] * to_float(k[i * shape.row() + t]);
      of.d_qkv[m * shape.row() + at.head * E + t] = rounded_to<T>(sum);
    });
  }
};

// The gradients of keys and values, over all query heads that share them. B · key heads · T blocks.
template <class T>
struct PlainKeyGradientTask {
  AttentionBackward<T> of;

  struct Shared {
    float weights[kAttentionLengthMax], d_scores[kAttentionLengthMax];
  };
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared& shared, std::uint64_t block) const {
    const AttentionShape& shape = of.shape;
    const AttentionPlace at = place_of(block, shape.kv_heads, shape.length);
    const std::size_t E = shape.head_width, first = at.sequence * shape.length,
                      place = first + at.position;
    const T* k = of.qkv + place * shape.row() + shape.keys() + at.head * E;
    const T* v = k + shape.kv_heads * E;
    typename Team::template Own<float> d_keys, d_values;
    team.each([&](unsigned t) { d_keys.of(t) = d_values.of(t) = 0; });
    for (std::size_t i = 0; i < shape.queries_per_key(); ++i) {
      const std::size_t head = at.head * shape.queries_per_key() + i;
      const std::size_t rows = (at.sequence * shape.heads + head) * shape.length;
      const T* q = of.qkv + first * shape.row() + head * E;
      const T* d_out = of.d_out + first * shape.out_row() + head * E;
      team.each([&](unsigned t) {
        for (std::size_t n = at.position + t; n < shape.length; n += kThreads) {
          const float weight =
              exponential(dot(q + n * shape.row(), k, E) * of.scale - of.log_sum[rows + n]);
          shared.weights[n] = weight;
          shared.d_scores[n] =
              weight * (dot(d_out + n * shape.out_row(), v, E) - of.delta[rows + n]) * of.scale;
        }
      });
      team.sync();
      team.each([&](unsigned t) {
        if (t >= E) return;
        for (std::size_t n = at.position; n < shape.length; ++n) {
          d_keys.of(t) += shared.d_scores[n] * to_float(q[n * shape.row() + t]);
          d_values.of(t) += shared.weights[n] * to_float(d_out[n * shape.out_row() + t]);
        }
      });
      team.sync();
    }
    team.each([&](unsigned t) {
      if (t >= E) return;
      T* d = of.d_qkv + place * shape.row() + shape.keys() + at.head * E + t;
      d[0] = rounded_to<T>(d_keys.of(t));
      d[shape.kv_heads * E] = rounded_to<T>(d_values.of(t));
    });
  }
};

}  // namespace muster::gpu
