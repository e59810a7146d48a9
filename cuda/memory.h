// A card's memory with an owner, and CUDA's errors as ours. Only for the sources of
// libmuster_cuda.so.
//
// Thread safety: one owner; the stream's.
#pragma once

#include <cuda_runtime.h>

#include <span>
#include <string>
#include <utility>

#include "base/result.h"

namespace muster::gpu {

// kIo, with CUDA's words, naming `what` was done.
[[nodiscard]] inline Status checked(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  return Error{Errc::kIo, std::string(what) + " on the card failed: " + cudaGetErrorString(error) +
                              " (" + cudaGetErrorName(error) + ")"};
}

// Room for trivially copyable values; not initialised.
template <class T>
class Memory {
 public:
  Memory() = default;
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Memory() { (void)cudaFree(data_); }

  // Errors: kTooLarge with no message; who asked knows the card.
  [[nodiscard]] static Result<Memory> make(std::uint64_t count) {
    Memory memory;
    if (count == 0) return Result<Memory>(std::move(memory));
    if (cudaMalloc(&memory.data_, count * sizeof(T)) != cudaSuccess) {
      (void)cudaGetLastError();
      return Error{Errc::kTooLarge, ""};
    }
    memory.count_ = count;
    return Result<Memory>(std::move(memory));
  }

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::uint64_t size() const { return count_; }

  // The first values from and to the host. REQUIRES: room for them.
  [[nodiscard]] Status write(std::span<const T> from, cudaStream_t stream) {
    if (from.empty()) return {};
    return checked(
        cudaMemcpyAsync(data_, from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream),
        "writing memory");
  }
  [[nodiscard]] Status read(std::span<T> to, cudaStream_t stream) const {
    if (to.empty()) return {};
    return checked(
        cudaMemcpyAsync(to.data(), data_, to.size_bytes(), cudaMemcpyDeviceToHost, stream),
        "reading memory");
  }

 private:
  T* data_ = nullptr;
  std::uint64_t count_ = 0;
};

// Memory of the host that cards read and write at the speed of the bus; not initialised.
template <class T>
class PinnedMemory {
 public:
  PinnedMemory() = default;
  PinnedMemory(PinnedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  PinnedMemory& operator=(PinnedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~PinnedMemory() { (void)cudaFreeHost(data_); }

  // Error: kTooLarge.
  [[nodiscard]] static Result<PinnedMemory> make(std::uint64_t count) {
    PinnedMemory memory;
    if (cudaMallocHost(&memory.data_, count * sizeof(T)) != cudaSuccess) {
      (void)cudaGetLastError();
      return Error{Errc::kTooLarge, "this machine cannot pin " + std::to_string(count * sizeof(T)) +
                                        " bytes of memory for a card; stop what else runs on it"};
    }
    memory.count_ = count;
    return Result<PinnedMemory>(std::move(memory));
  }
  [[nodiscard]] std::span<T> values() const { return {data_, count_}; }

 private:
  T* data_ = nullptr;
  std::uint64_t count_ = 0;
};

}  // namespace muster::gpu
