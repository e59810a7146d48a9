// What tokens meet at both ends of the model: the embedding and its gradient, cross-entropy, mean
// losses.
//
// Sequences of `length` tokens lie `length + 1` apart, so that each token's target is the one
// behind it. Thread safety: values.
#pragma once

#include "cuda/llama/norm_tasks.h"

namespace muster::gpu {

// Which positions of every sequence count in the loss, and how much each of them.
struct DeviceWindow {
  std::uint32_t first = 0, end = 0xffffffff;
  float weight = 1;
  bool operator==(const DeviceWindow&) const = default;
};

struct DeviceTokens {
  const std::int32_t* tokens = nullptr;
  std::size_t length = 1;
  const DeviceWindow* window = nullptr;  // read when a task runs; null: all positions count alike
  MUSTER_BOTH float weight(std::size_t m) const {
    if (window == nullptr) return 1;
    const std::size_t position = m % length;
    return position >= window->first && position < window->end ? window->weight : 0.0f;
  }
  MUSTER_BOTH std::size_t at(std::size_t m) const {
    return static_cast<std::size_t>(tokens[m / length * (length + 1) + m % length]);
  }
  MUSTER_BOTH std::size_t target(std::size_t m) const {
    return static_cast<std::size_t>(tokens[m / length * (length + 1) + m % length + 1]);
  }
};

// x[m] = the token's row of the embedding, of float or bf16. One block a row.
template <class E>
struct EmbedTask {
  DeviceTokens tokens;
  const E* embedding = nullptr;
  float* x = nullptr;
  std::size_t width = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t m) const {
    const E* row = embedding + tokens.at(m) * width;
    team.each([&](unsigned t) {
      for (std::size_t c = std::size_t{t} * kFour; c < width; c += kRowColumns)
        store<4>(x + m * width + c, load<4>(row + c));
    });
  }
};

// Where each token of a pass occurs; made by occurrences_of().
struct DeviceOccurrences {
  const std::uint32_t* count = nullptr;   // of different tokens
  const std::uint32_t* tokens = nullptr;  // [count]
  const std::uint32_t* ends = nullptr;    // [count], into `rows`
  const std::uint32_t* rows = nullptr;    // [M], ascending for each token
};

// gradient[token] += Σ d[m] over the token's rows, in their order: no two blocks write one row,
// nothing is atomic. A block a token; those behind the last do nothing.
struct EmbeddingGradientTask {
  DeviceOccurrences occurrences;
  const float* d = nullptr;  // [M, D]
  float* gradient = nullptr;
  std::size_t width = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    if (block >= *occurrences.count) return;
    const std::uint32_t begin = block == 0 ? 0 : occurrences.ends[block - 1],
                        end = occurrences.ends[block];
    float* row = gradient + std::size_t{occurrences.tokens[block]} * width;
    team.each([&](unsigned t) {
      for (std::size_t c = std::size_t{t} * kFour; c < width; c += kRowColumns) {
        Few<4> sum = load<4>(row + c);
        MUSTER_UNROLL_8
        for (std::uint32_t i = begin; i < end; ++i) {
          const Few<4> more = load<4>(d + std::size_t{occurrences.rows[i]} * width + c);
          MUSTER_UNROLL
          for (unsigned j = 0; j < 4; ++j) sum.x[j] += more.x[j];
        }
        store<4>(row + c, sum);
      }
    });
  }
};

// losses[m] = −log softmax(logits[m])[target]; with `has_gradient` the logits become (softmax −
// one-hot) · scale · the position's weight. One block a row; the vocabulary is a multiple of 8.
template <class T>
struct CrossEntropyTask {
  T* logits = nullptr;  // of rows first, first + 1, …
  std::size_t first = 0, vocab = 0;
  DeviceTokens tokens;
  float* losses = nullptr;  // [M]
  bool has_gradient = false;
  float scale = 0;

  // Of shared memory besides, so that four teams share a multiprocessor and no more: then what all
  // rows at work have read once is still in the card's cache when it is read again.
  static constexpr unsigned kRoomBytes = 44 * 1024;
  struct Shared {
    float right;  // the target's logit
  };
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared& shared, std::uint64_t block) const {
    T* const row = logits + block * vocab;
    const std::size_t target = tokens.target(first + block);
    typename Team::template Own<float> tops, sums;
    team.each([&](unsigned t) {
      if (t == 0) shared.right = to_float(row[target]);
      float most = -3e38f, sum = 0;
      for (std::size_t c = std::size_t{t} * kEight; c < vocab; c += 2 * kStride) {
        const Few<8> left = load<8>(row + c),
                     next = c + kStride < vocab ? load<8>(row + c + kStride) : nothing();
        float here = most;
        MUSTER_UNROLL
        for (unsigned j = 0; j < 8; ++j) {
          here = left.x[j] > here ? left.x[j] : here;
          here = next.x[j] > here ? next.x[j] : here;
        }
        sum *= exponential(most - here);
        most = here;
        MUSTER_UNROLL
        for (unsigned j = 0; j < 8; ++j)
          sum += exponential(left.x[j] - most) + exponential(next.x[j] - most);
      }
      tops.of(t) = most;
      sums.of(t) = sum;
    });
    const float top = team.top(tops);
    team.each([&](unsigned t) { sums.of(t) *= exponential(tops.of(t) - top); });
    const float all = team.total(sums);
    team.each([&](unsigned t) {
      if (t == 0) losses[first + block] = logarithm(all) - (shared.right - top);
      if (!has_gradient) return;
      const float of_row = scale * tokens.weight(first + block), factor = of_row / all;
      // From the end, which was read last.
      MUSTER_UNROLL_2
      for (std::size_t end = (vocab + kStride - 1) / kStride * kStride; end > 0; end -= kStride) {
        const std::size_t c = end - kStride + std::size_t{t} * kEight;
        if (c >= vocab) continue;
        Few<8> few = load<8>(row + c);
        MUSTER_UNROLL
        for (unsigned j = 0; j < 8; ++j)
          few.x[j] = exponential(few.x[j] - top) * factor - (c + j == target ? of_row : 0.0f);
        store<8>(row + c, few);
      }
    });
  }

 private:
  static constexpr std::size_t kStride = std::size_t{kThreads} * kEight;
  // Logits that weigh nothing.
  static MUSTER_TEAM Few<8> nothing() {
    Few<8> few;
    MUSTER_UNROLL
    for (unsigned j = 0; j < 8; ++j) few.x[j] = -3e38f;
    return few;
  }
};

// Means of `length` neighbours in fp64, in one order. A block a mean.
struct MeanTask {
  const float* values = nullptr;
  std::size_t length = 0;
  float* means = nullptr;         // rounded; or
  double* exact_means = nullptr;  // times `weight`
  double weight = 1;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    typename Team::template Own<double> sums;
    team.each([&](unsigned t) {
      double sum = 0;
      for (std::size_t i = t; i < length; i += kThreads)
        sum += static_cast<double>(values[block * length + i]);
      sums.of(t) = sum;
    });
    const double mean = team.total(sums) / static_cast<double>(length);
    team.each([&](unsigned t) {
      if (t != 0) return;
      if (means != nullptr) means[block] = static_cast<float>(mean);
      if (exact_means != nullptr) exact_means[block] = mean * weight;
    });
  }
};

}  // namespace muster::gpu
