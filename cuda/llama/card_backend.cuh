// CardBackend: runs passes and steps (model_on.h) on a card: tasks as kernels, products by
// cuBLASLt, attention in tiles; what is done again and again as a CUDA graph. Only for the sources
// of libmuster_cuda.so.
//
// What goes wrong on the way is kept and told by finish(). Thread safety: that of its card.
#pragma once

#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "cuda/card_array.h"
#include "cuda/device_team.cuh"
#include "cuda/llama/card_matmul.h"
#include "cuda/llama/element_tasks.h"
#include "cuda/llama/flash_attention.cuh"
#include "cuda/nccl_collective.h"

namespace muster::gpu {

template <class Task>
__global__ void __launch_bounds__(kThreads) task_kernel(Task task) {
  __shared__ DeviceTeam::Scratch scratch;
  __shared__ typename Task::Shared shared;
  DeviceTeam team(scratch);
  task(team, shared, blockIdx.x);
}

class CardBackend {
 public:
  template <class X>
  using Array = Memory<X>;
  template <class X>
  using Staged = PinnedMemory<X>;
  using Key = std::array<std::size_t, 5>;
  using Mark = cudaEvent_t;

  // Errors: those of CardMatmul::make.
  [[nodiscard]] static Result<std::unique_ptr<CardBackend>> make(CardContext& card) {
    MUSTER_TRY(auto matmul, CardMatmul::make(card));
    return std::unique_ptr<CardBackend>(new CardBackend(card, std::move(matmul)));
  }
  ~CardBackend() {
    forget();
    if (collective_ != nullptr) collective_->before_leaving(this, {});
    for (const cudaEvent_t event : events_)
      if (event != nullptr) (void)cudaEventDestroy(event);
    if (beside_ != nullptr) (void)cudaStreamDestroy(beside_);
  }
  CardBackend(const CardBackend&) = delete;
  CardBackend& operator=(const CardBackend&) = delete;

  [[nodiscard]] std::string name() const {
    std::string name = card_.info().name;
    std::ranges::replace(name, ' ', '-');
    return name;
  }
  [[nodiscard]] Status enter() const { return card_.enter(); }
  template <class X>
  [[nodiscard]] Result<Memory<X>> allocate(std::uint64_t count) const {
    return card_.allocate<X>(count);
  }
  template <class X>
  [[nodiscard]] Result<PinnedMemory<X>> stage(std::uint64_t count) const {
    return PinnedMemory<X>::make(count);
  }
  [[nodiscard]] Result<std::unique_ptr<FloatArray>> make_floats(std::uint64_t count) {
    MUSTER_TRY(auto array, CardArray::make(card_, count));
    return std::unique_ptr<FloatArray>(std::move(array));
  }
  template <class X>
  [[nodiscard]] Status write(Memory<X>& array, std::span<const X> values) {
    return array.write(values, card_.stream());
  }
  template <class X>
  [[nodiscard]] Status read(const Memory<X>& array, std::span<X> values) {
    MUSTER_TRY_STATUS(array.read(values, card_.stream()));
    return card_.finish();
  }
  void zero(float* numbers, std::uint64_t count) {
    if (count > 0) note(cudaMemsetAsync(numbers, 0, count * sizeof(float), stream_));
  }
  void note(Status status) {
    if (fault_ && !status) (void)(fault_ = std::move(status));
  }
  [[nodiscard]] Status finish() {
    note(card_.finish());
    Status status = std::exchange(fault_, Status());
    // Others wait for this rank no longer.
    if (!status && collective_ != nullptr) collective_->leave(status.error().message);
    return status;
  }

  template <class Task>
  void run(const Task& task, std::uint64_t blocks) {
    unsigned room_bytes = 0;
    if constexpr (requires { Task::kRoomBytes; }) room_bytes = Task::kRoomBytes;
    if (blocks == 0) return;
    task_kernel<<<static_cast<unsigned>(blocks), kThreads, room_bytes, stream_>>>(task);
    note(cudaGetLastError());
  }

  // On a second stream, which a recording becomes part of when it waits for the first.
  template <class Work>
  Mark aside(Collective& collective, const Work& work) {
    auto& calls = static_cast<CardCollective&>(collective);
    note(open_beside(calls));
    const cudaEvent_t begin = next_event(), end = next_event();
    note(cudaEventRecord(begin, card_.stream()));
    note(cudaStreamWaitEvent(beside_, begin));
    stream_ = beside_;
    calls.use(beside_);
    note(work());
    calls.use(card_.stream());
    stream_ = card_.stream();
    note(cudaEventRecord(end, beside_));
    return end;
  }
  void wait(Mark mark) { note(cudaStreamWaitEvent(card_.stream(), mark)); }

  template <class T, class Y>
  void forward(const T* x, const T* w, Y* y, std::size_t rows, std::size_t out, std::size_t in) {
    note(
        matmul_->multiply({ProductKind::kForward, rows, out, in, kIsBf16<T>, kIsBf16<Y>}, x, w, y));
  }
  template <class T>
  void backward(const T* dy, const T* w, T* dx, std::size_t rows, std::size_t out, std::size_t in) {
    note(matmul_->multiply({ProductKind::kBackward, rows, out, in, kIsBf16<T>, kIsBf16<T>}, dy, w,
                           dx));
  }
  template <class T>
  void add_weight_gradient(const T* dy, const T* x, float* g, std::size_t rows, std::size_t out,
                           std::size_t in) {
    note(matmul_->multiply({ProductKind::kWeightGradient, rows, out, in, kIsBf16<T>, false}, dy, x,
                           g));
  }

  void attention(const AttentionShape& shape, const float* qkv, float* out, float* log_sum) {
    run(PlainAttentionTask<float>{shape, qkv, out, log_sum, scale_of(shape)},
        shape.sequences * shape.heads * shape.length);
  }
  void attention(const AttentionShape& shape, const Bf16* qkv, Bf16* out, float* log_sum) {
    const FlashForward task{shape, qkv, out, log_sum, scale_of(shape) * kLog2E};
    with_head_width(shape, [&](auto width) {
      using Sizes = FlashSizes<width()>;
      launch(flash_forward_kernel<width()>, shape, shape.heads, Sizes::kForwardRows,
             Sizes::kBlockThreads, Sizes::kForwardBytes, task);
    });
  }
  void attention_backward(AttentionBackward<float> of, const float* cosines, const float* sines) {
    const AttentionShape& shape = of.shape;
    of.scale = scale_of(shape);
    run(PlainQueryGradientTask<float>{of}, shape.sequences * shape.heads * shape.length);
    run(PlainKeyGradientTask<float>{of}, shape.sequences * shape.kv_heads * shape.length);
    const std::size_t rotated = shape.heads + shape.kv_heads,
                      tokens = shape.sequences * shape.length;
    run(RotateTask<float>{of.d_qkv, shape.row(), rotated, shape.head_width, tokens, shape.length,
                          cosines, sines, true},
        element_blocks(tokens * rotated * shape.head_width / 2));
  }
  void attention_backward(AttentionBackward<Bf16> of, const float* cosines, const float* sines) {
    const AttentionShape shape = of.shape;
    of.scale = scale_of(shape);
    const FlashBackward task{of, cosines, sines};
    with_head_width(shape, [&](auto width) {
      using Sizes = FlashSizes<width()>;
      launch(flash_query_gradient_kernel<width()>, shape, shape.heads, Sizes::kBackwardRows,
             Sizes::kBlockThreads, Sizes::kQueryBytes, task);
      launch(flash_key_gradient_kernel<width()>, shape, shape.kv_heads, Sizes::kBackwardRows,
             Sizes::kBlockThreads, Sizes::kKeyBytes, task);
    });
  }

  // The first time it is done as it stands, which loads what it needs; the second time it is
  // recorded.
  template <class Work>
  [[nodiscard]] Status repeat(const Key& key, const Work& work) {
    auto [found, is_new] = graphs_.try_emplace(key, nullptr);
    if (is_new) {
      work();
      return {};
    }
    if (found->second == nullptr) {
      MUSTER_TRY(found->second, record(work));
      // What could not be recorded whole is not to be run.
      if (!fault_) return std::exchange(fault_, Status());
    }
    return checked(cudaGraphLaunch(found->second, card_.stream()), "a step");
  }
  void forget() {
    for (const auto& [key, graph] : graphs_)
      if (graph != nullptr) (void)cudaGraphExecDestroy(graph);
    graphs_.clear();
  }

 private:
  template <class X>
  static constexpr bool kIsBf16 = std::is_same_v<X, Bf16>;

  CardBackend(CardContext& card, std::unique_ptr<CardMatmul> matmul)
      : card_(card), matmul_(std::move(matmul)), stream_(card.stream()) {}

  static float scale_of(const AttentionShape& shape) {
    return 1.0f / std::sqrt(static_cast<float>(shape.head_width));
  }
  template <class Work>
  static void with_head_width(const AttentionShape& shape, const Work& work) {
    if (shape.head_width == 32) return work(std::integral_constant<int, 32>{});
    if (shape.head_width == 64) return work(std::integral_constant<int, 64>{});
    work(std::integral_constant<int, 128>{});
  }
  template <class Kernel, class Task>
  void launch(Kernel kernel, const AttentionShape& shape, std::size_t heads, int rows, int threads,
              int bytes, const Task& task) {
    note(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
    const auto tiles = static_cast<unsigned>((shape.length + static_cast<std::size_t>(rows) - 1) /
                                             static_cast<std::size_t>(rows));
    const dim3 grid(tiles, static_cast<unsigned>(heads), static_cast<unsigned>(shape.sequences));
    kernel<<<grid, static_cast<unsigned>(threads), static_cast<std::size_t>(bytes),
             card_.stream()>>>(task);
    note(cudaGetLastError());
  }

  template <class Work>
  [[nodiscard]] Result<cudaGraphExec_t> record(const Work& work) {
    MUSTER_TRY_STATUS(checked(
        cudaStreamBeginCapture(card_.stream(), cudaStreamCaptureModeThreadLocal), "recording"));
    work();
    cudaGraph_t graph = nullptr;
    MUSTER_TRY_STATUS(checked(cudaStreamEndCapture(card_.stream(), &graph), "recording"));
    cudaGraphExec_t executable = nullptr;
    const cudaError_t made = cudaGraphInstantiate(&executable, graph, 0);
    (void)cudaGraphDestroy(graph);
    MUSTER_TRY_STATUS(checked(made, "recording"));
    return executable;
  }

  // Before others' work, which it is waited for by.
  [[nodiscard]] Status open_beside(CardCollective& collective) {
    if (beside_ != nullptr) return {};
    collective_ = &collective;
    collective.before_leaving(this, [this] { forget(); });
    int least = 0, most = 0;
    MUSTER_TRY_STATUS(checked(cudaDeviceGetStreamPriorityRange(&least, &most), "opening"));
    for (cudaEvent_t& event : events_)
      MUSTER_TRY_STATUS(
          checked(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "opening"));
    return checked(cudaStreamCreateWithPriority(&beside_, cudaStreamNonBlocking, most), "opening");
  }
  // One that was recorded again stands for later work, so that who waits for it waits for enough.
  cudaEvent_t next_event() { return events_[next_event_++ % events_.size()]; }

  void note(cudaError_t error) { note(checked(error, "training")); }

  CardContext& card_;
  std::unique_ptr<CardMatmul> matmul_;
  cudaStream_t stream_;                   // that tasks go to: the card's, or
  cudaStream_t beside_ = nullptr;         // the second one, of models on several cards
  CardCollective* collective_ = nullptr;  // theirs
  std::array<cudaEvent_t, 64> events_ = {};
  std::size_t next_event_ = 0;
  Status fault_;
  std::map<Key, cudaGraphExec_t> graphs_;  // null: done once
};

}  // namespace muster::gpu
