// What is done number by number: rotary embeddings, SwiGLU. A block of a grid is 256 threads of
// eight numbers.
//
// Shapes: M tokens, heads of width E, feed-forward width F; E / 2 and F multiples of 8. Thread
// safety: values.
#pragma once

#include "cuda/llama/norm_tasks.h"

namespace muster::gpu {

inline constexpr std::size_t kElementsEach = std::size_t{kThreads} * kEight;
[[nodiscard]] constexpr std::uint64_t element_blocks(std::uint64_t count) {
  return (count + kElementsEach - 1) / kElementsEach;
}

// Rotates pairs (i, i + E/2) of `heads` heads of each token by the angles of its position, or back:
// Su et al., "RoFormer" (arXiv 2104.09864). element_blocks(M · heads · E / 2) blocks.
template <class T>
struct RotateTask {
  T* x = nullptr;  // head h of token m at x + m · row + h · E
  std::size_t row = 0, heads = 0, head_width = 0, tokens = 0, length = 0;
  const float *cosines = nullptr, *sines = nullptr;  // [length, E / 2]
  bool back = false;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    team.each([&](unsigned t) {
      const std::size_t item = block * kThreads + t, half = head_width / 2, eights = half / kEight;
      const std::size_t head = item / eights, m = head / heads;
      if (m >= tokens) return;
      const std::size_t i = item % eights * kEight, angle = m % length * half + i;
      T* at = x + m * row + head % heads * head_width + i;
      const Few<8> cosine = load<8>(cosines + angle), sine = load<8>(sines + angle);
      const Few<8> left = load<8>(at), right = load<8>(at + half);
      Few<8> a, b;
      MUSTER_UNROLL
      for (unsigned j = 0; j < 8; ++j) {
        const float s = back ? -sine.x[j] : sine.x[j];
        a.x[j] = left.x[j] * cosine.x[j] - right.x[j] * s;
        b.x[j] = right.x[j] * cosine.x[j] + left.x[j] * s;
      }
      store<8>(at, a);
      store<8>(at + half, b);
    });
  }
};

// act = silu(gate) · up; Shazeer, "GLU variants improve transformer" (arXiv 2002.05202).
// element_blocks(M · F) blocks.
template <class T>
struct SwigluTask {
  const T* gate_up = nullptr;  // [M, 2F]
  T* act = nullptr;            // [M, F]
  std::size_t tokens = 0, width = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    team.each([&](unsigned t) {
      const std::size_t item = (block * kThreads + t) * kEight, m = item / width, c = item % width;
      if (m >= tokens) return;
      const Few<8> gate = load<8>(gate_up + 2 * m * width + c),
                   up = load<8>(gate_up + (2 * m + 1) * width + c);
      Few<8> out;
      MUSTER_UNROLL
      for (unsigned j = 0; j < 8; ++j)
        out.x[j] = gate.x[j] / (1.0f + exponential(-gate.x[j])) * up.x[j];
      store<8>(act + item, out);
    });
  }
};

// gate_up becomes its gradient. element_blocks(M · F) blocks.
template <class T>
struct SwigluBackwardTask {
  T* gate_up = nullptr;
  const T* d_act = nullptr;
  std::size_t tokens = 0, width = 0;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    team.each([&](unsigned t) {
      const std::size_t item = (block * kThreads + t) * kEight, m = item / width, c = item % width;
      if (m >= tokens) return;
      T *const gates = gate_up + 2 * m * width + c, *const ups = gates + width;
      const Few<8> gate = load<8>(gates), up = load<8>(ups), d = load<8>(d_act + item);
      Few<8> d_gate, d_up;
      MUSTER_UNROLL
      for (unsigned j = 0; j < 8; ++j) {
        const float g = gate.x[j], sigmoid = 1.0f / (1.0f + exponential(-g)), silu = g * sigmoid;
        d_up.x[j] = d.x[j] * silu;
        d_gate.x[j] = d.x[j] * up.x[j] * sigmoid * (1.0f + g * (1.0f - sigmoid));
      }
      store<8>(gates, d_gate);
      store<8>(ups, d_up);
    });
  }
};

// Rounds parameters to what products read; of floats a copy, bit for bit. element_blocks(count)
// blocks.
template <class T>
struct RoundTask {
  const float* from = nullptr;
  T* to = nullptr;
  std::uint64_t count = 0;  // a multiple of 8

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    team.each([&](unsigned t) {
      const std::uint64_t at = (block * kThreads + t) * kEight;
      if (at < count) store<8>(to + at, load<8>(from + at));
    });
  }
};

}  // namespace muster::gpu
