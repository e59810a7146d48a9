// SharedFloats: fp32 numbers in memory that child processes see too: a file without a name, mapped
// by each.
//
// Thread safety: as an array; processes agree between themselves on who writes when.
#pragma once

#include <cstdint>
#include <span>

#include "base/file.h"

namespace muster::trainer {

class SharedFloats {
 public:
  // Zeros. Error: kIo, kNoSpace (not enough memory).
  [[nodiscard]] static Result<SharedFloats> make(std::uint64_t count);
  // A child's view of what its parent made; takes the descriptor. Errors: kInvalidArgument (of
  // another size), kIo.
  [[nodiscard]] static Result<SharedFloats> join(FileHandle file, std::uint64_t count);
  SharedFloats(SharedFloats&& other) noexcept;
  SharedFloats& operator=(SharedFloats&&) = delete;
  ~SharedFloats();

  [[nodiscard]] std::span<float> values() const { return values_; }
  // For a child to inherit; closed at its exec unless it is handed on.
  [[nodiscard]] int descriptor() const { return file_.get(); }

 private:
  SharedFloats(FileHandle file, std::span<float> values)
      : file_(std::move(file)), values_(values) {}
  FileHandle file_;
  std::span<float> values_;
};

}  // namespace muster::trainer
