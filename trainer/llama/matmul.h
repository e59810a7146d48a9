// Matmul: the three products of a linear layer, y = x · Wᵀ and its gradients, on a team of threads.
//
// W is [out, in] in fp32, row after row; activations are T, each row row_numbers() long. A weight
// is loaded once and may then meet many rows; each direction holds one. Thread safety: one thread
// at a time. Determinism: an implementation gives the same bits on every run, ours for any number
// of threads too.
#pragma once

#include <memory>

#include "base/team.h"
#include "trainer/kernels/kernels.h"

namespace muster::trainer {

// From one row of activations to the next: a whole number of words. Behind an odd width in bf16
// stands a 0.
template <class T>
[[nodiscard]] constexpr std::size_t row_numbers(std::size_t width) {
  return groups_of<T>(width) * kGroup<T>;
}

struct Weight {
  const float* values = nullptr;
  std::size_t out = 0, in = 0;
};

// Where [rows, columns] results go, one row after the other: into floats, added to `base`, or
// stored as T.
template <class T>
struct Target {
  Into into = Into::kFloat;
  float* floats = nullptr;
  const float* base = nullptr;
  T* stored = nullptr;

  static Target to(float* values) { return {Into::kFloat, values, nullptr, nullptr}; }
  static Target sum(float* values, const float* base) {
    return {Into::kFloatAdded, values, base, nullptr};
  }
  static Target to(T* values) requires(!std::is_same_v<T, float>) {
    return {Into::kStored, nullptr, nullptr, values};
  }
};

template <class T>
class Matmul {
 public:
  virtual ~Matmul() = default;
  virtual void load_forward(const Weight& weight) = 0;
  // target[rows, out] = x[rows, in] · Wᵀ
  virtual void forward(const T* x, std::size_t rows, const Target<T>& target) = 0;
  virtual void load_backward(const Weight& weight) = 0;
  // target[rows, in] = dy[rows, out] · W
  virtual void backward(const T* dy, std::size_t rows, const Target<T>& target) = 0;
  // gradient[out, in] += dyᵀ · x over rows
  virtual void add_weight_gradient(const T* dy, const T* x, std::size_t rows, std::size_t out,
                                   std::size_t in, float* gradient) = 0;
};

// By the table's kernels. The team and the table must outlive it.
template <class T>
[[nodiscard]] std::unique_ptr<Matmul<T>> make_panel_matmul(const Kernels<T>& kernels, Team& team);

}  // namespace muster::trainer
