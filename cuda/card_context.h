// CardContext: one opened card: its stream, its stopwatch, and memory with our errors. Only for the
// sources of libmuster_cuda.so.
//
// Thread safety: one owner.
#pragma once

#include <functional>

#include "compression/layout.h"
#include "cuda/block_values.h"
#include "cuda/card_faults.h"
#include "cuda/gpu.h"
#include "cuda/memory.h"

namespace muster::gpu {

class CardContext {
 public:
  // Error: kIo.
  [[nodiscard]] static Result<std::unique_ptr<CardContext>> open(const CardInfo& info);
  ~CardContext();
  CardContext(const CardContext&) = delete;
  CardContext& operator=(const CardContext&) = delete;

  [[nodiscard]] const CardInfo& info() const { return info_; }
  [[nodiscard]] cudaStream_t stream() const { return stream_; }
  [[nodiscard]] double kernel_seconds() const { return kernel_seconds_; }

  // Makes this thread's CUDA calls go to this card. Error: kIo.
  [[nodiscard]] Status enter() const { return checked(cudaSetDevice(info_.index), "choosing it"); }
  // Error: kTooLarge.
  template <class T>
  [[nodiscard]] Result<Memory<T>> allocate(std::uint64_t count) const {
    auto memory = Memory<T>::make(count);
    if (memory) return memory;
    std::size_t free = 0, all = 0;
    (void)cudaMemGetInfo(&free, &all);
    return too_little_memory(info_.name, count * sizeof(T), free);
  }
  // A copy on the card. Errors: kTooLarge, kIo.
  template <class T>
  [[nodiscard]] Result<Memory<T>> upload(std::span<const T> values) const {
    MUSTER_TRY(Memory<T> memory, allocate<T>(values.size()));
    MUSTER_TRY_STATUS(memory.write(values, stream_));
    return Result<Memory<T>>(std::move(memory));
  }
  // Waits. Errors: kIo, and what watch() finds.
  [[nodiscard]] Status finish() const;
  // What is asked again and again while the host waits, for how many seconds; its error ends the
  // wait. Empty: nothing.
  void watch(std::function<Status(double)> watch) { watch_ = std::move(watch); }
  // Runs launch(stream) and waits for it. Error: kIo.
  template <class Launch>
  [[nodiscard]] Status run(const Launch& launch) {
    MUSTER_TRY_STATUS(checked(cudaEventRecord(begin_, stream_), "work"));
    launch(stream_);
    MUSTER_TRY_STATUS(checked(cudaGetLastError(), "starting a kernel"));
    MUSTER_TRY_STATUS(checked(cudaEventRecord(end_, stream_), "work"));
    MUSTER_TRY_STATUS(finish());
    float milliseconds = 0;
    MUSTER_TRY_STATUS(checked(cudaEventElapsedTime(&milliseconds, begin_, end_), "work"));
    kernel_seconds_ = static_cast<double>(milliseconds) / 1e3;
    return {};
  }
  // Where a layout's blocks lie; kept until another layout's are asked for. Errors: kTooLarge, kIo.
  [[nodiscard]] Result<const BlockPlace*> places(const compression::Layout& layout);

 private:
  explicit CardContext(const CardInfo& info) : info_(info) {}

  CardInfo info_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  double kernel_seconds_ = 0;
  std::function<Status(double)> watch_;
  Hash places_of_;
  Memory<BlockPlace> places_;
};

}  // namespace muster::gpu
