// Muon's passes over a matrix's numbers; see trainer/optim/muon.h for the method. A block is a
// chunk of the matrix.
//
// Thread safety: values.
#pragma once

#include "cuda/llama/optimizer_tasks.h"

namespace muster::gpu {

// Calls work(i) for each fourth number of a block's chunk.
template <class Team, class Work>
MUSTER_TEAM void each_four(Team& team, std::uint64_t block, std::uint64_t count, const Work& work) {
  const std::uint64_t begin = block * kChunkElements;
  const std::uint64_t end = begin + kChunkElements < count ? begin + kChunkElements : count;
  team.each([&](unsigned t) {
    for (std::uint64_t i = begin + std::uint64_t{t} * kFour; i < end; i += kRowColumns) work(i);
  });
}

// b ← b + (1 − μ)(g − b); update = g + μ(b − g), g clipped.
struct MomentumTask {
  const StepResult* result = nullptr;
  const float* gradient = nullptr;
  float *momentum = nullptr, *update = nullptr;
  std::uint64_t count = 0;
  float mu = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    const float scale = result->gradient_scale;
    const bool moves = result->applied != 0;
    each_four(team, block, count, [&](std::uint64_t i) {
      const Few<4> g = load<4>(gradient + i);
      Few<4> b = load<4>(momentum + i), u;
      MUSTER_UNROLL
      for (unsigned j = 0; j < 4; ++j) {
        const float slope = g.x[j] * scale;
        b.x[j] += (1.0f - mu) * (slope - b.x[j]);
        u.x[j] = slope + mu * (b.x[j] - slope);
      }
      if (moves) store<4>(momentum + i, b);
      store<4>(update + i, u);
    });
  }
};

// to = from / ‖from‖, whose squares SumSquaresTask summed in parts.
template <class T>
struct NormalizeTask {
  const float* from = nullptr;
  const double* parts = nullptr;
  T* to = nullptr;
  std::uint64_t count = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    typename Team::template Own<double> sums;
    team.each([&](unsigned t) {
      double sum = 0;
      for (std::uint64_t i = t; i < chunk_count(count); i += kThreads) sum += parts[i];
      sums.of(t) = sum;
    });
    const float norm = square_root(static_cast<float>(team.total(sums)));
    const float shrink = 1.0f / (norm > 1e-7f ? norm : 1e-7f);
    each_four(team, block, count, [&](std::uint64_t i) {
      Few<4> x = load<4>(from + i);
      MUSTER_UNROLL
      for (unsigned j = 0; j < 4; ++j) x.x[j] *= shrink;
      store<4>(to + i, x);
    });
  }
};

// to = a · x + b · y.
template <class X, class Y, class T>
struct CombineTask {
  const X* x = nullptr;
  const Y* y = nullptr;
  T* to = nullptr;
  float a = 1, b = 0;
  std::uint64_t count = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    each_four(team, block, count, [&](std::uint64_t i) {
      Few<4> left = load<4>(x + i);
      const Few<4> right = load<4>(y + i);
      MUSTER_UNROLL
      for (unsigned j = 0; j < 4; ++j) left.x[j] = a * left.x[j] + b * right.x[j];
      store<4>(to + i, left);
    });
  }
};

// p ← p · (1 − lr · decay) − lr · factor · update, if the step is applied.
template <class T>
struct MuonTask {
  const StepInput* input = nullptr;
  const StepResult* result = nullptr;
  const T* update = nullptr;
  float* theta = nullptr;
  Bf16* rounded = nullptr;  // null: there is none
  std::uint64_t count = 0;
  float decay = 0, factor = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    if (result->applied == 0) return;
    const float rate = input->learning_rate, kept = 1.0f - rate * decay, step = rate * factor;
    each_four(team, block, count, [&](std::uint64_t i) {
      Few<4> p = load<4>(theta + i);
      const Few<4> u = load<4>(update + i);
      MUSTER_UNROLL
      for (unsigned j = 0; j < 4; ++j) p.x[j] = p.x[j] * kept - step * u.x[j];
      store<4>(theta + i, p);
      if (rounded != nullptr) store<4>(rounded + i, p);
    });
  }
};

}  // namespace muster::gpu
