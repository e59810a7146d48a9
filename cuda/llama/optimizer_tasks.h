// The end of a step on a card: the gradient's norm, the verdict, AdamW; no word of the host is
// waited for.
//
// Formulas are trainer/optim's. Sums are in fp64 and one order. Thread safety: values.
#pragma once

#include "cuda/llama/norm_tasks.h"
#include "cuda/llama/numbers.h"

namespace muster::gpu {

// What the host gives a step, and what it finds behind it; both lie in the card's memory.
struct StepInput {
  float learning_rate = 0;
  float correction1 = 1, correction2 = 1;  // 1 − β^t
  float clip = 0;                          // largest norm; 0: none
  double loss_limit = 0, norm_limit = 0;   // over both: a spike
};
struct StepResult {
  double loss = 0, norm = 0;
  float gradient_scale = 0;
  std::uint32_t applied = 0;
};

// So many numbers to a block.
inline constexpr std::uint32_t kChunkElements = 16384;
[[nodiscard]] constexpr std::uint64_t chunk_count(std::uint64_t count) {
  return (count + kChunkElements - 1) / kChunkElements;
}

// parts[block] = Σ x² of a chunk. `count` is a multiple of 4.
struct SumSquaresTask {
  const float* values = nullptr;
  std::uint64_t count = 0;
  double* parts = nullptr;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    typename Team::template Own<double> sums;
    const std::uint64_t begin = block * kChunkElements;
    const std::uint64_t end = begin + kChunkElements < count ? begin + kChunkElements : count;
    team.each([&](unsigned t) {
      double sum = 0;
      MUSTER_UNROLL_8
      for (std::uint64_t i = begin + std::uint64_t{t} * kFour; i < end; i += kRowColumns) {
        const Few<4> few = load<4>(values + i);
        MUSTER_UNROLL
        for (unsigned j = 0; j < 4; ++j)
          sum += static_cast<double>(few.x[j]) * static_cast<double>(few.x[j]);
      }
      sums.of(t) = sum;
    });
    const double sum = team.total(sums);
    team.each([&](unsigned t) {
      if (t == 0) parts[block] = sum;
    });
  }
};

// What one rank adds to a step's verdict: its gradient's squares and its part of the mean loss. One
// block.
struct TotalTask {
  const double* squares = nullptr;
  std::uint64_t square_count = 0;
  const double* losses = nullptr;
  std::uint32_t passes = 1;
  double* total = nullptr;  // [2]

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t) const {
    typename Team::template Own<double> sums;
    team.each([&](unsigned t) {
      double sum = 0;
      for (std::uint64_t i = t; i < square_count; i += kThreads) sum += squares[i];
      sums.of(t) = sum;
    });
    const double square = team.total(sums);
    team.each([&](unsigned t) {
      if (t != 0) return;
      double loss = 0;
      for (std::uint32_t pass = 0; pass < passes; ++pass) loss += losses[pass];
      total[0] = square;
      total[1] = loss;
    });
  }
};

// Loss, norm, whether the step is taken, and what the gradient is multiplied by. One block.
struct VerdictTask {
  const double* squares = nullptr;
  std::uint64_t square_count = 0;
  const double* losses = nullptr;  // parts of the mean, of passes or of ranks
  std::uint32_t loss_count = 1;
  const StepInput* input = nullptr;
  StepResult* result = nullptr;
  std::uint32_t stride = 1;  // from one square, and one loss, to the next

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t) const {
    typename Team::template Own<double> sums;
    team.each([&](unsigned t) {
      double sum = 0;
      for (std::uint64_t i = t; i < square_count; i += kThreads) sum += squares[i * stride];
      sums.of(t) = sum;
    });
    const double square = team.total(sums);
    team.each([&](unsigned t) {
      if (t != 0) return;
      StepResult r;
      for (std::uint32_t i = 0; i < loss_count; ++i) r.loss += losses[i * stride];
      r.norm = root(square);
      const bool finite = r.loss - r.loss == 0 && r.norm - r.norm == 0;
      const bool spikes = r.loss > input->loss_limit && r.norm > input->norm_limit;
      r.applied = finite && !spikes ? 1 : 0;
      const double clip = static_cast<double>(input->clip), factor = clip / (r.norm + 1e-6);
      r.gradient_scale = static_cast<float>(clip > 0 && factor < 1 ? factor : 1.0);
      *result = r;
    });
  }

 private:
  static MUSTER_TEAM double root(double x) {
#if defined(__CUDA_ARCH__)
    return sqrt(x);
#else
    return __builtin_sqrt(x);
#endif
  }
};

// Neighbouring parameters, a multiple of 4, that decay or do not.
struct AdamwChunk {
  std::uint64_t offset = 0;
  std::uint64_t state_offset = 0;  // of m and v
  std::uint32_t elements = 0;      // at most kChunkElements
  std::uint32_t decays = 0;
};

// θ, m and v move, and θ's rounded copy, if the step is applied. A block a chunk.
struct AdamwTask {
  const AdamwChunk* chunks = nullptr;
  const StepInput* input = nullptr;
  const StepResult* result = nullptr;
  const float* gradient = nullptr;
  float *theta = nullptr, *first = nullptr, *second = nullptr;
  Bf16* rounded = nullptr;  // null: there is none
  float beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    if (result->applied == 0) return;
    const AdamwChunk chunk = chunks[block];
    const float rate = input->learning_rate, scale = result->gradient_scale;
    const float kept = chunk.decays != 0 ? 1.0f - rate * decay : 1.0f,
                step_size = rate / input->correction1;
    const float inverse_root = 1.0f / square_root(input->correction2);
    team.each([&](unsigned t) {
      MUSTER_UNROLL_2
      for (std::uint32_t i = t * kFour; i < chunk.elements; i += kRowColumns) {
        const std::uint64_t at = chunk.offset + i, state = chunk.state_offset + i;
        const Few<4> g = load<4>(gradient + at);
        Few<4> p = load<4>(theta + at), m = load<4>(first + state), v = load<4>(second + state);
        MUSTER_UNROLL
        for (unsigned j = 0; j < 4; ++j) {
          const float slope = g.x[j] * scale;
          m.x[j] = m.x[j] * beta1 + slope * (1.0f - beta1);
          v.x[j] = v.x[j] * beta2 + slope * slope * (1.0f - beta2);
          p.x[j] =
              p.x[j] * kept - m.x[j] * step_size / (square_root(v.x[j]) * inverse_root + epsilon);
        }
        store<4>(theta + at, p);
        store<4>(first + state, m);
        store<4>(second + state, v);
        if (rounded != nullptr) store<4>(rounded + at, p);
      }
    });
  }
};

}  // namespace muster::gpu
