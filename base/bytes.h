// Byte strings, bounded little-endian reading and writing, and hex.
//
// A ByteReader never reads outside its span: the first read past the end makes it fail for good and
// every later read returns zero, so a decoder checks once, at its end.
// Thread safety: plain values; spans are borrowed.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster {

static_assert(std::endian::native == std::endian::little, "muster runs on little-endian machines");

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;

[[nodiscard]] inline ByteSpan bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] ByteSpan bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  T read() {
    T value = 0;
    if (ByteSpan raw = take(sizeof(T)); raw.size() == sizeof(T))
      std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  // The next `count` bytes; empty, and failed, if fewer remain.
  ByteSpan take(std::size_t count) {
    if (failed_ || count > rest_.size()) {
      failed_ = true;
      return {};
    }
    ByteSpan taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  void fail() { failed_ = true; }

  [[nodiscard]] std::size_t remaining() const { return failed_ ? 0 : rest_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }
  // True when everything was read and nothing failed.
  [[nodiscard]] bool finished() const { return !failed_ && rest_.empty(); }

 private:
  ByteSpan rest_;
  bool failed_ = false;
};

class ByteWriter {
 public:
  template <std::unsigned_integral T>
  void write(T value) {
    append({reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
  }
  void append(ByteSpan bytes) {
    const std::size_t before = bytes_.size();
    bytes_.resize(before + bytes.size());
    if (!bytes.empty()) std::memcpy(bytes_.data() + before, bytes.data(), bytes.size());
  }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] Bytes take() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Lower-case hex, two digits per byte.
[[nodiscard]] std::string to_hex(ByteSpan bytes);
// Accepts upper and lower case. Errors: kMalformed (odd length or another character).
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

}  // namespace muster
