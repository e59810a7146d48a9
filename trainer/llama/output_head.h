// OutputHead: logits, cross-entropy and their gradient, a few rows at a time, so that the logits of
// a whole batch never exist at once.
//
// Thread safety: one thread at a time.
#pragma once

#include <algorithm>

#include "base/team.h"
#include "trainer/kernels/kernels.h"
#include "trainer/llama/buffer.h"
#include "trainer/llama/head_rows.h"
#include "trainer/llama/matmul.h"

namespace muster::trainer {

template <class T>
class OutputHead {
 public:
  OutputHead(const Kernels<T>& kernels, Team& team, Matmul<T>& matmul)
      : kernels_(kernels), team_(team), matmul_(matmul) {}

  // losses[m] = −log softmax(x_m · Wᵀ)[target(m)].
  template <class TargetOf>
  void losses(const Weight& weight, const T* x, std::size_t count, const TargetOf& target,
              float* losses);
  // … and dx = scale · ∂Σ losses/∂x, gradient += scale · ∂Σ losses/∂W.
  template <class TargetOf>
  void backward(const Weight& weight, const T* x, std::size_t count, const TargetOf& target,
                float scale, float* losses, float* dx, float* gradient);
  // [count, vocab]
  void logits(const Weight& weight, const T* x, std::size_t count, float* logits);

 private:
  template <class TargetOf>
  void part(const Weight& weight, const T* x, std::size_t first, std::size_t last,
            const TargetOf& target, float scale, float* losses, T* d_logits);

  const Kernels<T>& kernels_;
  Team& team_;
  Matmul<T>& matmul_;
  Buffer<float> logits_;
  Buffer<T> d_logits_;
};

template <class T>
template <class TargetOf>
void OutputHead<T>::part(const Weight& weight, const T* x, std::size_t first, std::size_t last,
                         const TargetOf& target, float scale, float* losses, T* d_logits) {
  const std::size_t V = weight.out, at_once = logit_rows(V, last - first);
  logits_.reserve(at_once * V);
  for (std::size_t row = first; row < last; row += at_once) {
    const std::size_t rows = std::min(at_once, last - row);
    matmul_.forward(x + row * weight.in, rows, {.into = Into::kFloat, .floats = logits_.data()});
    team_.split(rows, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        T* d = d_logits == nullptr ? nullptr : d_logits + (row - first + i) * row_numbers<T>(V);
        losses[row + i] =
            kernels_.cross_entropy(logits_.data() + i * V, V, target(row + i), scale, d);
        if (d != nullptr) std::fill(d + V, d + row_numbers<T>(V), T{});
      }
    });
  }
}

template <class T>
template <class TargetOf>
void OutputHead<T>::losses(const Weight& weight, const T* x, std::size_t count,
                           const TargetOf& target, float* losses) {
  matmul_.load_forward(weight);
  part(weight, x, 0, count, target, 0, losses, nullptr);
}

template <class T>
template <class TargetOf>
void OutputHead<T>::backward(const Weight& weight, const T* x, std::size_t count,
                             const TargetOf& target, float scale, float* losses, float* dx,
                             float* gradient) {
  const std::size_t V = weight.out, D = weight.in, at_once = gradient_rows(V, count, sizeof(T));
  d_logits_.reserve(at_once * row_numbers<T>(V));
  matmul_.load_forward(weight);
  matmul_.load_backward(weight);
  for (std::size_t row = 0; row < count; row += at_once) {
    const std::size_t rows = std::min(at_once, count - row);
    part(weight, x, row, row + rows, target, scale, losses, d_logits_.data());
    matmul_.backward(d_logits_.data(), rows, {.into = Into::kFloat, .floats = dx + row * D});
    matmul_.add_weight_gradient(d_logits_.data(), x + row * D, rows, V, D, gradient);
  }
}

template <class T>
void OutputHead<T>::logits(const Weight& weight, const T* x, std::size_t count, float* logits) {
  matmul_.load_forward(weight);
  matmul_.forward(x, count, {.into = Into::kFloat, .floats = logits});
}

}  // namespace muster::trainer
