// SCALE: the byte encoding of Substrate chains, written and read canonically.
//
// Integers are little-endian, sequences carry a compact count, structs are their fields in order. A
// type with a static `fields(self, codec)` is encoded and decoded by that one listing, so the two
// cannot disagree. The reader takes only canonical bytes: what it accepts encodes to the same bytes
// again. It never reads outside its span, allocates no more than a small multiple of the bytes
// given, and keeps the first fault for good; every read after that gives zeros, so a decoder asks
// once, at its end. Source: SCALE specification (Polkadot protocol, appendix A.2);
// parity-scale-codec. Thread safety: plain values.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "chain/fixed/fixed.h"

namespace muster::chain {

// Why bytes are not the canonical encoding of what was asked for.
enum class ScaleFault : std::uint8_t {
  kNone,
  kTruncated,
  kNonMinimalCompact,  // a compact integer in more bytes than it needs
  kCompactTooLarge,    // a compact integer over its type's range
  kTooLong,            // a sequence over its bound
  kNotABool,
  kNotAscending,  // an ordered set out of order, or with a repetition
  kUnknownTag,    // an enum, option or address form that this decoder doesn't know
  kUnknownCall,
  kTrailingBytes,
};
[[nodiscard]] std::string_view name_of(ScaleFault fault);

// An unsigned integer that travels in compact form.
template <std::unsigned_integral T>
struct Compact {
  T value{};
  bool operator==(const Compact&) const = default;
};

// A byte string (on the wire a Vec<u8>) of at most kBytesMax bytes.
template <std::size_t kBytesMax>
struct BoundedBytes {
  static constexpr std::size_t bytes_max = kBytesMax;
  Bytes bytes;
  bool operator==(const BoundedBytes&) const = default;
};

namespace scale_detail {
template <class T, class Codec>
concept HasFields = requires(T& value, Codec& codec) {
  T::fields(value, codec);
};
// For types that don't know of encodings: a function scale_fields beside them or beside their user.
template <class T, class Codec>
concept HasFreeFields = requires(T& value, Codec& codec) {
  scale_fields(value, codec);
};
}  // namespace scale_detail

class ScaleWriter {
 public:
  template <class... Ts>
  void operator()(const Ts&... values) {
    (write(values), ...);
  }
  template <std::integral T>
  void write(T value) {
    if constexpr (std::same_as<T, bool>)
      out_.write(static_cast<std::uint8_t>(value));
    else
      out_.write(static_cast<std::make_unsigned_t<T>>(value));
  }
  void write(Uint128 value) {
    out_.write(static_cast<std::uint64_t>(value));
    out_.write(static_cast<std::uint64_t>(value >> 64));
  }
  void write_compact(std::uint64_t value);
  template <std::unsigned_integral T>
  void write(const Compact<T>& compact) {
    write_compact(compact.value);
  }
  template <std::size_t kCount>
  void write(const std::array<std::uint8_t, kCount>& bytes) {
    out_.append(bytes);
  }
  void write(const PublicKey& key) { out_.append(key.bytes); }
  void write(const Hash& hash) { out_.append(hash.bytes); }
  template <std::size_t kBytesMax>
  void write(const BoundedBytes<kBytesMax>& text) {
    write_compact(text.bytes.size());
    out_.append(text.bytes);
  }
  void write(const std::string& text) {
    write_compact(text.size());
    out_.append(bytes_of(text));
  }
  template <class T>
  void write(const std::vector<T>& values) {
    write_compact(values.size());
    for (const T& value : values) write(value);
  }
  void write(const std::vector<bool>& values) {
    write_compact(values.size());
    for (const bool value : values) write(value);
  }
  template <class T>
  void write(const std::set<T>& values) {
    write_compact(values.size());
    for (const T& value : values) write(value);
  }
  template <class Key, class T>
  void write(const std::map<Key, T>& values) {
    write_compact(values.size());
    for (const auto& [key, value] : values) (*this)(key, value);
  }
  template <class T>
  void write(const std::optional<T>& value) {
    write(value.has_value());
    if (value) write(*value);
  }
  template <class A, class B>
  void write(const std::pair<A, B>& pair) {
    (*this)(pair.first, pair.second);
  }
  template <Integer Bits, int kFraction>
  void write(const Fixed<Bits, kFraction>& value) {
    if constexpr (sizeof(Bits) == 16)
      write(static_cast<Uint128>(value.bits));
    else
      write(value.bits);
  }
  // An enum whose values are 0..maximum.
  template <class Enum>
  void enumeration(Enum value, std::uint8_t) {
    write(static_cast<std::uint8_t>(value));
  }
  template <class T>
  requires scale_detail::HasFields<const T, ScaleWriter>
  void write(const T& value) { T::fields(value, *this); }
  template <class T>
  requires scale_detail::HasFreeFields<const T, ScaleWriter>
  void write(const T& value) { scale_fields(value, *this); }

  void append(ByteSpan bytes) { out_.append(bytes); }
  [[nodiscard]] const Bytes& bytes() const { return out_.bytes(); }
  [[nodiscard]] Bytes take() && { return std::move(out_).take(); }

 private:
  ByteWriter out_;
};

class ScaleReader {
 public:
  explicit ScaleReader(ByteSpan bytes) : rest_(bytes) {}

  template <class... Ts>
  void operator()(Ts&... values) {
    (read(values), ...);
  }
  template <std::integral T>
  void read(T& value) {
    if constexpr (std::same_as<T, bool>) {
      value = read_bool();
    } else {
      std::make_unsigned_t<T> raw = 0;
      copy_to({reinterpret_cast<std::uint8_t*>(&raw), sizeof(raw)});
      value = static_cast<T>(raw);
    }
  }
  void read(Uint128& value) {
    std::uint64_t low = 0, high = 0;
    (*this)(low, high);
    value = (static_cast<Uint128>(high) << 64) | low;
  }
  // A compact integer of at most `maximum`; compacts over 64 bits are refused as too large.
  [[nodiscard]] std::uint64_t read_compact(std::uint64_t maximum);
  template <std::unsigned_integral T>
  void read(Compact<T>& compact) {
    compact.value = static_cast<T>(read_compact(static_cast<T>(-1)));
  }
  template <std::size_t kCount>
  void read(std::array<std::uint8_t, kCount>& bytes) {
    copy_to(bytes);
  }
  void read(PublicKey& key) { copy_to(key.bytes); }
  void read(Hash& hash) { copy_to(hash.bytes); }
  template <std::size_t kBytesMax>
  void read(BoundedBytes<kBytesMax>& text) {
    const ByteSpan bytes = take(read_count(kBytesMax));
    text.bytes.assign(bytes.begin(), bytes.end());
  }
  void read(std::string& text) {
    const ByteSpan bytes = take(read_count(kCountMax));
    text.assign(bytes.begin(), bytes.end());
  }
  // Every element takes at least a byte, so a count over the bytes left fails before anything is
  // allocated.
  template <class T>
  void read(std::vector<T>& values) {
    values.clear();
    for (std::size_t count = read_count(kCountMax); count > 0 && !failed(); --count)
      read(values.emplace_back());
  }
  void read(std::vector<bool>& values) {
    values.clear();
    for (std::size_t count = read_count(kCountMax); count > 0 && !failed(); --count)
      values.push_back(read_bool());
  }
  template <class T>
  void read(std::set<T>& values) {
    values.clear();
    for (std::size_t count = read_count(kCountMax); count > 0 && !failed(); --count) {
      T value{};
      read(value);
      if (!values.empty() && !(*values.rbegin() < value)) return fail(ScaleFault::kNotAscending);
      values.insert(values.end(), value);
    }
  }
  template <class Key, class T>
  void read(std::map<Key, T>& values) {
    values.clear();
    for (std::size_t count = read_count(kCountMax); count > 0 && !failed(); --count) {
      Key key{};
      read(key);
      if (!values.empty() && !(values.rbegin()->first < key))
        return fail(ScaleFault::kNotAscending);
      read(values.emplace_hint(values.end(), key, T{})->second);
    }
  }
  template <class T>
  void read(std::optional<T>& value) {
    value.reset();
    const std::uint8_t tag = read_tag(1);
    if (tag == 1) read(value.emplace());
  }
  template <class A, class B>
  void read(std::pair<A, B>& pair) {
    (*this)(pair.first, pair.second);
  }
  template <Integer Bits, int kFraction>
  void read(Fixed<Bits, kFraction>& value) {
    if constexpr (sizeof(Bits) == 16) {
      Uint128 bits = 0;
      read(bits);
      value.bits = static_cast<Bits>(bits);
    } else {
      read(value.bits);
    }
  }
  template <class Enum>
  void enumeration(Enum& value, std::uint8_t maximum) {
    value = static_cast<Enum>(read_tag(maximum));
  }
  template <class T>
  requires scale_detail::HasFields<T, ScaleReader>
  void read(T& value) { T::fields(value, *this); }
  template <class T>
  requires scale_detail::HasFreeFields<T, ScaleReader>
  void read(T& value) { scale_fields(value, *this); }

  [[nodiscard]] bool read_bool();
  // One byte of at most `maximum`, else kUnknownTag.
  [[nodiscard]] std::uint8_t read_tag(std::uint8_t maximum);
  // The next `count` bytes; empty, and failed, if fewer remain.
  [[nodiscard]] ByteSpan take(std::size_t count);
  void fail(ScaleFault fault) {
    if (fault_ == ScaleFault::kNone) fault_ = fault;
  }

  [[nodiscard]] bool failed() const { return fault_ != ScaleFault::kNone; }
  [[nodiscard]] std::size_t remaining() const { return failed() ? 0 : rest_.size(); }
  // The first fault; kTrailingBytes when something is left over.
  [[nodiscard]] ScaleFault finish() const {
    if (failed()) return fault_;
    return rest_.empty() ? ScaleFault::kNone : ScaleFault::kTrailingBytes;
  }

 private:
  static constexpr std::size_t kCountMax = 0xffff'ffff;
  // Leaves `out` as it is when too little remains.
  void copy_to(std::span<std::uint8_t> out);
  [[nodiscard]] std::size_t read_count(std::size_t maximum);
  ByteSpan rest_;
  ScaleFault fault_ = ScaleFault::kNone;
};

template <class T>
[[nodiscard]] Bytes scale_encode(const T& value) {
  ScaleWriter writer;
  writer.write(value);
  return std::move(writer).take();
}

// Errors: kTruncated, kTooLarge, kMalformed, with the fault's name.
[[nodiscard]] Error error_of(ScaleFault fault);
template <class T>
[[nodiscard]] Result<T> scale_decode(ByteSpan bytes) {
  ScaleReader reader(bytes);
  T value{};
  reader.read(value);
  if (const ScaleFault fault = reader.finish(); fault != ScaleFault::kNone) return error_of(fault);
  return value;
}

}  // namespace muster::chain
