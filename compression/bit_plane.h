// Bit planes: numbers of a fixed width, one after the other, least significant bit first, padded
// with zero bits to whole bytes.
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
      if (bytes_.size() < used_ + sizeof(buffer_)) bytes_.resize(2 * (used_ + sizeof(buffer_)));
      std::memcpy(bytes_.data() + used_, &buffer_, sizeof(buffer_));
      used_ += 4;
      buffer_ >>= 32;
      filled_ -= 32;
    }
  }
  // Appends the plane to `out` and starts anew.
  void finish(Bytes& out) {
    out.insert(out.end(), bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
    for (; filled_ > 0; filled_ -= filled_ < 8 ? filled_ : 8, buffer_ >>= 8)
      out.push_back(static_cast<std::uint8_t>(buffer_));
    used_ = 0;
    buffer_ = 0;
  }

 private:
  Bytes bytes_;  // the first used_ of them, then room
  std::size_t used_ = 0;
  std::uint64_t buffer_ = 0;
  unsigned filled_ = 0;
};

class BitPlaneReader {
 public:
  BitPlaneReader() = default;
  // `bytes` is exactly the plane; width <= 32.
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
  [[nodiscard]] ByteSpan bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t bit() const { return bit_; }
  void skip(std::uint64_t count) { bit_ += count * width_; }
  // The next `count` numbers.
  void read(std::uint32_t* numbers, std::size_t count) {
    const std::uint64_t mask = (std::uint64_t{1} << width_) - 1;
    // Eight numbers of up to 7 bits lie in eight bytes, wherever they begin in the first.
    std::size_t i = 0;
    for (; width_ <= 7 && i + 8 <= count && (bit_ >> 3) + 8 <= bytes_.size(); i += 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes_.data() + (bit_ >> 3), 8);
      word >>= bit_ & 7;
      for (std::size_t j = 0; j < 8; ++j, word >>= width_)
        numbers[i + j] = static_cast<std::uint32_t>(word & mask);
      bit_ += 8 * width_;
    }
    for (; i < count; ++i) numbers[i] = next();
  }
  // True when the padding is zero bits. REQUIRES: all numbers were read.
  [[nodiscard]] bool padding_is_zero() const {
    return bit_ % 8 == 0 || bytes_.back() >> (bit_ % 8) == 0;
  }

 private:
  ByteSpan bytes_;
  unsigned width_ = 0;
  std::uint64_t bit_ = 0;
};

}  // namespace muster::compression
