// Bit planes: numbers of a fixed width, one after the other, least significant bit first, padded with
// zero bits to whole bytes.
//
// Thread safety: none; one owner.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace muster::compression {

class BitPlaneWriter {
 public:
  // The low `width` bits of `value`; width <= 32, the rest of value 0.
  void write(std::uint32_t value, unsigned width) {
    buffer_ |= std::uint64_t{value} << filled_;
    filled_ += width;
    if (filled_ >= 32) {
      const auto word = static_cast<std::uint32_t>(buffer_);
      const std::size_t at = bytes_.size();
      bytes_.resize(at + sizeof(word));
      std::memcpy(bytes_.data() + at, &word, sizeof(word));
      buffer_ >>= 32;
      filled_ -= 32;
    }
  }
  // Appends the plane to `out` and starts anew.
  void finish(Bytes& out) {
    for (; filled_ > 0; filled_ -= filled_ < 8 ? filled_ : 8, buffer_ >>= 8)
      bytes_.push_back(static_cast<std::uint8_t>(buffer_));
    out.insert(out.end(), bytes_.begin(), bytes_.end());
    bytes_.clear();
    buffer_ = 0;
  }

 private:
  Bytes bytes_;
  std::uint64_t buffer_ = 0;
  unsigned filled_ = 0;
};

class BitPlaneReader {
 public:
  // A plane of `count` numbers; `bytes` is exactly the plane and may be followed by anything.
  BitPlaneReader(ByteSpan bytes, unsigned width) : bytes_(bytes), width_(width) {}

  [[nodiscard]] static std::uint64_t size(std::uint64_t count, unsigned width) {
    return (count * width + 7) / 8;
  }
  // The next number; 0 behind the end.
  std::uint32_t next() {
    const std::uint64_t at = bit_ >> 3;
    std::uint64_t word = 0;
    if (at + 8 <= bytes_.size()) {
      std::memcpy(&word, bytes_.data() + at, 8);
    } else if (at < bytes_.size()) {
      std::memcpy(&word, bytes_.data() + at, bytes_.size() - at);
    }
    const std::uint64_t value = word >> (bit_ & 7) & ((std::uint64_t{1} << width_) - 1);
    bit_ += width_;
    return static_cast<std::uint32_t>(value);
  }
  // True when the padding is zero bits. REQUIRES: all numbers were read.
  [[nodiscard]] bool padding_is_zero() const {
    return bit_ % 8 == 0 || bytes_.back() >> (bit_ % 8) == 0;
  }

 private:
  ByteSpan bytes_;
  unsigned width_;
  std::uint64_t bit_ = 0;
};

}  // namespace muster::compression
