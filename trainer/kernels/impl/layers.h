// RMSNorm, rotary embedding, SwiGLU and cross-entropy, row by row. See kernels.h.
#pragma once

#include <cmath>

#include "trainer/kernels/impl/vector.h"

namespace muster::trainer::MUSTER_KERNELS {

template <class T>
void rms_norm(const float* x, const float* gain, std::size_t rows, std::size_t width, float epsilon,
              T* h, float* scale) {
  for (std::size_t r = 0; r < rows; ++r, x += width, h += width) {
    F squares = {};
    each_vector(
        width, [&](std::size_t i) { squares += load(x + i) * load(x + i); },
        [&](std::size_t i, std::size_t n) {
          squares += load_part(x + i, n) * load_part(x + i, n);
        });
    const float s = 1.0f / std::sqrt(sum(squares) / static_cast<float>(width) + epsilon);
    scale[r] = s;
    each_vector(
        width, [&](std::size_t i) { store(h + i, load(x + i) * s * load(gain + i)); },
        [&](std::size_t i, std::size_t n) {
          store_part(h + i, load_part(x + i, n) * s * load_part(gain + i, n), n);
        });
  }
}

// With n = x · scale and g = dh · gain: ∂L/∂x = scale · (g − n · mean(g · n)).
template <class T>
void rms_norm_backward(const float* dh, const float* x, const float* gain, const float* scale,
                       std::size_t rows, std::size_t width, float* dx, float* d_gain, T* stored) {
  for (std::size_t r = 0; r < rows; ++r, dh += width, x += width, dx += width, stored += width) {
    const float s = scale[r];
    F dots = {};
    each_vector(
        width,
        [&](std::size_t i) {
          const F product = load(dh + i) * load(x + i) * s;
          store(d_gain + i, load(d_gain + i) + product);
          dots += product * load(gain + i);
        },
        [&](std::size_t i, std::size_t n) {
          const F product = load_part(dh + i, n) * load_part(x + i, n) * s;
          store_part(d_gain + i, load_part(d_gain + i, n) + product, n);
          dots += product * load_part(gain + i, n);
        });
    const float mean = sum(dots) / static_cast<float>(width);
    each_vector(
        width,
        [&](std::size_t i) {
          const F g = load(dh + i) * load(gain + i);
          const F d = load(dx + i) + (g - load(x + i) * s * mean) * s;
          store(dx + i, d);
          store(stored + i, d);
        },
        [&](std::size_t i, std::size_t n) {
          const F g = load_part(dh + i, n) * load_part(gain + i, n);
          const F d = load_part(dx + i, n) + (g - load_part(x + i, n) * s * mean) * s;
          store_part(dx + i, d, n);
          store_part(stored + i, d, n);
        });
  }
}

template <class T>
void rotate(T* x, std::size_t row, std::size_t heads, std::size_t width, const float* cosines,
            const float* sines, std::size_t positions, bool back) {
  const std::size_t half = width / 2;
  const float sign = back ? -1.0f : 1.0f;
  for (std::size_t t = 0; t < positions; ++t, x += row, cosines += half, sines += half) {
    for (std::size_t head = 0; head < heads; ++head) {
      T* a = x + head * width;
      T* b = a + half;
      auto turn = [&](F p, F q, F c, F s, F& first, F& second) {
        first = p * c - q * s;
        second = q * c + p * s;
      };
      F first, second;
      each_vector(
          half,
          [&](std::size_t i) {
            turn(load(a + i), load(b + i), load(cosines + i), load(sines + i) * sign, first,
                 second);
            store(a + i, first);
            store(b + i, second);
          },
          [&](std::size_t i, std::size_t n) {
            turn(load_part(a + i, n), load_part(b + i, n), load_part(cosines + i, n),
                 load_part(sines + i, n) * sign, first, second);
            store_part(a + i, first, n);
            store_part(b + i, second, n);
          });
    }
  }
}

template <class T>
inline F sigmoid(F x) {
  return reciprocal<T>(1.0f + exponential(-x));
}

template <class T>
void swiglu(const T* gate_up, std::size_t rows, std::size_t width, T* act) {
  for (std::size_t r = 0; r < rows; ++r, gate_up += 2 * width, act += width) {
    auto gated = [](F gate, F up) { return gate * sigmoid<T>(gate) * up; };
    const T* up = gate_up + width;
    each_vector(
        width, [&](std::size_t i) { store(act + i, gated(load(gate_up + i), load(up + i))); },
        [&](std::size_t i, std::size_t n) {
          store_part(act + i, gated(load_part(gate_up + i, n), load_part(up + i, n)), n);
        });
  }
}

// d silu(g)/dg = σ(g) · (1 + g · (1 − σ(g))).
template <class T>
void swiglu_backward(T* gate_up, std::size_t rows, std::size_t width, T* act) {
  struct Gradient {
    F gate, up, act;
  };
  auto gradient = [](F gate, F up, F d) -> Gradient {
    const F s = sigmoid<T>(gate), silu = gate * s;
    return {d * up * (s + silu * (1.0f - s)), d * silu, silu * up};
  };
  for (std::size_t r = 0; r < rows; ++r, gate_up += 2 * width, act += width) {
    T* up = gate_up + width;
    each_vector(
        width,
        [&](std::size_t i) {
          const Gradient g = gradient(load(gate_up + i), load(up + i), load(act + i));
          store(gate_up + i, g.gate);
          store(up + i, g.up);
          store(act + i, g.act);
        },
        [&](std::size_t i, std::size_t n) {
          const Gradient g =
              gradient(load_part(gate_up + i, n), load_part(up + i, n), load_part(act + i, n));
          store_part(gate_up + i, g.gate, n);
          store_part(up + i, g.up, n);
          store_part(act + i, g.act, n);
        });
  }
}

template <class T>
float cross_entropy(float* logits, std::size_t vocab, std::size_t target, float scale,
                    T* d_logits) {
  F most = splat(-3e38f);
  each_vector(
      vocab, [&](std::size_t i) { most = larger(most, load(logits + i)); },
      [&](std::size_t i, std::size_t n) {
        for (std::size_t j = 0; j < n; ++j)
          most[j] = most[j] > logits[i + j] ? most[j] : logits[i + j];
      });
  const float top = largest(most), right = logits[target];
  F total = {};
  each_vector(
      vocab,
      [&](std::size_t i) {
        const F e = exponential(load(logits + i) - top);
        total += e;
        store(logits + i, e);
      },
      [&](std::size_t i, std::size_t n) {
        const F e = first_lanes(exponential(load_part(logits + i, n) - top), n);
        total += e;
        store_part(logits + i, e, n);
      });
  const float all = sum(total);
  const float loss = std::log(all) - (right - top);
  if (d_logits == nullptr) return loss;
  const float factor = scale / all;
  logits[target] -= all;
  each_vector(
      vocab, [&](std::size_t i) { store(d_logits + i, load(logits + i) * factor); },
      [&](std::size_t i, std::size_t n) {
        store_part(d_logits + i, load_part(logits + i, n) * factor, n);
      });
  return loss;
}

}  // namespace muster::trainer::MUSTER_KERNELS
