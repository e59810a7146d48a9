// Bit streams, least significant bit first, padded with zero bits to whole bytes.
//
// Thread safety: none; one owner.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace muster::compression {

class BitWriter {
 public:
  // The low `count` bits of `value`; count <= 32.
  void write(std::uint32_t value, unsigned count) {
    buffer_ |= std::uint64_t{value} << filled_;
    filled_ += count;
    while (filled_ >= 8) {
      bytes_.push_back(static_cast<std::uint8_t>(buffer_));
      buffer_ >>= 8;
      filled_ -= 8;
    }
  }
  // `value` zeros and a one.
  void write_unary(std::uint32_t value) {
    for (; value >= 32; value -= 32) write(0, 32);
    write(value == 31 ? 0x80000000u : 1u << value, value + 1);
  }
  [[nodiscard]] Bytes take() && {
    if (filled_ > 0) bytes_.push_back(static_cast<std::uint8_t>(buffer_));
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
  std::uint64_t buffer_ = 0;
  unsigned filled_ = 0;
};

// Reading past the end gives zeros and sets failed() for good.
class BitReader {
 public:
  explicit BitReader(ByteSpan bytes) : bytes_(bytes) {}

  std::uint32_t read(unsigned count) {
    while (filled_ < count) {
      if (next_ == bytes_.size()) {
        failed_ = true;
        return 0;
      }
      buffer_ |= std::uint64_t{bytes_[next_++]} << filled_;
      filled_ += 8;
    }
    const auto value = static_cast<std::uint32_t>(buffer_ & ((std::uint64_t{1} << count) - 1));
    buffer_ >>= count;
    filled_ -= count;
    return value;
  }
  // Zeros up to the next one; fails above `most`.
  std::uint32_t read_unary(std::uint32_t most) {
    for (std::uint32_t zeros = 0; zeros <= most && !failed_; ++zeros)
      if (read(1) == 1) return zeros;
    failed_ = true;
    return 0;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  // True when only zero padding of less than a byte is left.
  [[nodiscard]] bool finished() const {
    return !failed_ && next_ == bytes_.size() && filled_ < 8 && buffer_ == 0;
  }

 private:
  ByteSpan bytes_;
  std::size_t next_ = 0;
  std::uint64_t buffer_ = 0;
  unsigned filled_ = 0;
  bool failed_ = false;
};

}  // namespace muster::compression
