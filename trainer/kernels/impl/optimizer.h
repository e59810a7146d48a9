// Loops over flat arrays of parameters. See kernels.h.
#pragma once

#include <cmath>

#include "trainer/kernels/impl/vector.h"

namespace muster::trainer::MUSTER_KERNELS {

inline F square_root(F v) {
#if defined(__AVX512F__)
  return cast<F>(_mm512_sqrt_ps(cast<__m512>(v)));
#else
  float lanes[kLanes];
  store(lanes, v);
  for (float& lane : lanes) lane = std::sqrt(lane);
  return load(lanes);
#endif
}

// torch.optim.AdamW's update (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2).
inline void adamw(const AdamwStep& s, std::size_t count, const float* gradient, float* parameters,
                  float* first_moment, float* second_moment) {
  const float kept = 1.0f - s.learning_rate * s.decay, step_size = s.learning_rate / s.correction1;
  const float inverse_root = 1.0f / std::sqrt(s.correction2);
  auto update = [&](F g, F& p, F& m, F& v) {
    g *= s.gradient_scale;
    m = m * s.beta1 + g * (1.0f - s.beta1);
    v = v * s.beta2 + g * g * (1.0f - s.beta2);
    p = p * kept - m * step_size / (square_root(v) * inverse_root + s.epsilon);
  };
  each_vector(
      count,
      [&](std::size_t i) {
        F p = load(parameters + i), m = load(first_moment + i), v = load(second_moment + i);
        update(load(gradient + i), p, m, v);
        store(parameters + i, p);
        store(first_moment + i, m);
        store(second_moment + i, v);
      },
      [&](std::size_t i, std::size_t n) {
        F p = load_part(parameters + i, n), m = load_part(first_moment + i, n),
          v = load_part(second_moment + i, n);
        update(load_part(gradient + i, n), p, m, v);
        store_part(parameters + i, p, n);
        store_part(first_moment + i, m, n);
        store_part(second_moment + i, v, n);
      });
}

inline double sum_squares(const float* values, std::size_t count) {
  constexpr std::size_t kBlock = 4096;  // fp32 lanes inside a block, fp64 over blocks
  double total = 0;
  for (std::size_t first = 0; first < count; first += kBlock) {
    const std::size_t n = count - first < kBlock ? count - first : kBlock;
    F squares = {};
    each_vector(
        n, [&](std::size_t i) { squares += load(values + first + i) * load(values + first + i); },
        [&](std::size_t i, std::size_t part) {
          squares += load_part(values + first + i, part) * load_part(values + first + i, part);
        });
    for (std::size_t lane = 0; lane < kLanes; ++lane) total += static_cast<double>(squares[lane]);
  }
  return total;
}

inline void matrix_vector(const float* matrix, std::size_t rows, std::size_t columns,
                          const float* x, float* y) {
  constexpr std::size_t kAtOnce = 4;
  for (std::size_t row = 0; row < rows; row += kAtOnce) {
    const std::size_t n = rows - row < kAtOnce ? rows - row : kAtOnce;
    F sums[kAtOnce] = {};
    each_vector(
        columns,
        [&](std::size_t i) {
          const F v = load(x + i);
          for (std::size_t r = 0; r < n; ++r) sums[r] += load(matrix + (row + r) * columns + i) * v;
        },
        [&](std::size_t i, std::size_t part) {
          const F v = load_part(x + i, part);
          for (std::size_t r = 0; r < n; ++r)
            sums[r] += load_part(matrix + (row + r) * columns + i, part) * v;
        });
    for (std::size_t r = 0; r < n; ++r) y[row + r] = sum(sums[r]);
  }
}

}  // namespace muster::trainer::MUSTER_KERNELS
