// Buffer: uninitialised numbers at a cache line, of a size that only grows. Thread safety: value.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "base/check.h"

namespace muster::trainer {

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count) { reserve(count); }

  // Room for `count` numbers; what was in it is lost when it has to grow.
  void reserve(std::size_t count) {
    if (count <= count_) return;
    constexpr std::size_t kLine = 64;
    data_.reset();
    data_.reset(static_cast<T*>(
        std::aligned_alloc(kLine, (count * sizeof(T) + 2 * kLine - 1) / kLine * kLine)));
    MUSTER_CHECK(data_ != nullptr, "out of memory");
    count_ = count;
  }
  [[nodiscard]] T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t count_ = 0;
};

}  // namespace muster::trainer
