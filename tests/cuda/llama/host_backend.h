// HostBackend: runs a card's passes on the host, teams played and products written out, so that
// everything but the card's own instructions is tested on machines without a card. See
// cuda/llama/passes.h.
#pragma once

#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <memory>

#include "cuda/host_team.h"
#include "cuda/llama/model_on.h"
#include "model/host_array.h"

namespace muster::gpu {

class HostBackend {
 public:
  using Key = std::array<std::size_t, 5>;
  using Mark = std::size_t;  // how much was begun aside, this counted

  // `allocated_bytes`, if any, is told of what is allocated. What is aside is done at once or, with
  // `defers`, as late as it may be, so that what does not wait for it shows.
  explicit HostBackend(std::uint64_t* allocated_bytes = nullptr, bool defers = false)
      : allocated_bytes_(allocated_bytes), defers_(defers) {}

  [[nodiscard]] std::string name() const { return "host"; }

  // Poisoned, so that a number read before it is written shows.
  template <class X>
  class Array {
   public:
    Array() = default;
    explicit Array(std::size_t count) : values_(std::make_unique<X[]>(count)) {
      std::memset(static_cast<void*>(values_.get()), 0xff, count * sizeof(X));
    }
    [[nodiscard]] X* data() const { return values_.get(); }

   private:
    std::unique_ptr<X[]> values_;
  };
  template <class X>
  Result<Array<X>> allocate(std::size_t count) {
    count_bytes(count * sizeof(X));
    return Array<X>(count);
  }

  template <class X>
  class Staged {
   public:
    Staged() = default;
    explicit Staged(std::size_t count) : values_(count) {}
    [[nodiscard]] std::span<X> values() { return values_; }

   private:
    std::vector<X> values_;
  };
  template <class X>
  Result<Staged<X>> stage(std::size_t count) {
    return Staged<X>(count);
  }
  [[nodiscard]] Status enter() const { return {}; }
  Result<std::unique_ptr<FloatArray>> make_floats(std::size_t count) {
    count_bytes(count * sizeof(float));
    return std::unique_ptr<FloatArray>(std::make_unique<model::HostArray>(count));
  }
  template <class X>
  [[nodiscard]] Status write(Array<X>& array, std::span<const X> values) {
    std::copy(values.begin(), values.end(), array.data());
    return {};
  }
  template <class X>
  [[nodiscard]] Status read(const Array<X>& array, std::span<X> values) {
    std::copy_n(array.data(), values.size(), values.begin());
    return {};
  }
  void zero(float* numbers, std::size_t count) { std::fill_n(numbers, count, 0.0f); }
  [[nodiscard]] Status finish() {
    MUSTER_CHECK(deferred_.empty(), "something aside was never waited for");
    return std::exchange(fault_, Status());
  }
  void note(Status status) {
    if (fault_ && !status) (void)(fault_ = std::move(status));
  }
  template <class Work>
  Mark aside(Collective&, const Work& work) {
    deferred_.emplace_back(work);
    const Mark mark = done_ + deferred_.size();
    if (!defers_) wait(mark);
    return mark;
  }
  void wait(Mark mark) {
    for (; done_ < mark; ++done_) {
      note(deferred_.front()());
      deferred_.pop_front();
    }
  }
  void forget() {}
  template <class Work>
  [[nodiscard]] Status repeat(const Key&, const Work& work) {
    work();
    return {};
  }

  template <class Task>
  void run(const Task& task, std::uint64_t blocks) {
    HostTeam team;
    const auto shared = std::make_unique<typename Task::Shared>();
    for (std::uint64_t block = 0; block < blocks; ++block) task(team, *shared, block);
  }

  template <class T, class Y>
  void forward(const T* x, const T* w, Y* y, std::size_t rows, std::size_t out, std::size_t in) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t o = 0; o < out; ++o)
        y[r * out + o] = rounded_to<Y>(dot(x + r * in, w + o * in, in));
  }
  template <class T>
  void backward(const T* dy, const T* w, T* dx, std::size_t rows, std::size_t out, std::size_t in) {
    std::vector<float> sum(in);
    for (std::size_t r = 0; r < rows; ++r) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (std::size_t o = 0; o < out; ++o)
        for (std::size_t i = 0; i < in; ++i)
          sum[i] += to_float(dy[r * out + o]) * to_float(w[o * in + i]);
      for (std::size_t i = 0; i < in; ++i) dx[r * in + i] = rounded_to<T>(sum[i]);
    }
  }
  template <class T>
  void add_weight_gradient(const T* dy, const T* x, float* g, std::size_t rows, std::size_t out,
                           std::size_t in) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t o = 0; o < out; ++o)
        for (std::size_t i = 0; i < in; ++i)
          g[o * in + i] += to_float(dy[r * out + o]) * to_float(x[r * in + i]);
  }

  template <class T>
  void attention(const AttentionShape& shape, const T* qkv, T* out, float* log_sum) {
    run(PlainAttentionTask<T>{shape, qkv, out, log_sum, scale_of(shape)},
        shape.sequences * shape.heads * shape.length);
  }
  template <class T>
  void attention_backward(AttentionBackward<T> of, const float* cosines, const float* sines) {
    const AttentionShape& shape = of.shape;
    of.scale = scale_of(shape);
    run(PlainQueryGradientTask<T>{of}, shape.sequences * shape.heads * shape.length);
    run(PlainKeyGradientTask<T>{of}, shape.sequences * shape.kv_heads * shape.length);
    const std::size_t rotated = shape.heads + shape.kv_heads,
                      tokens = shape.sequences * shape.length;
    run(RotateTask<T>{of.d_qkv, shape.row(), rotated, shape.head_width, tokens, shape.length,
                      cosines, sines, true},
        element_blocks(tokens * rotated * shape.head_width / 2));
  }

 private:
  static float scale_of(const AttentionShape& shape) {
    return 1.0f / std::sqrt(static_cast<float>(shape.head_width));
  }
  void count_bytes(std::uint64_t bytes) {
    if (allocated_bytes_ != nullptr) *allocated_bytes_ += bytes;
  }

  std::uint64_t* allocated_bytes_;
  bool defers_;
  std::deque<std::function<Status()>> deferred_;
  std::size_t done_ = 0;
  Status fault_;
};

}  // namespace muster::gpu
