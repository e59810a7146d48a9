// A bounded, canonical binary codec for control messages: cereal archives of our own.
//
// cereal's own containers resize to a length read off the wire before anything else is looked at;
// these archives refuse a count that the remaining bytes cannot hold. One encoding per value:
// fixed-width little-endian integers, u32 counts, booleans 0 or 1, enums below their enum_count,
// floats by their bits, everything consumed. A message is a struct with
//   template <class Archive> void serialize(Archive& archive) { archive(first, second); }
// Thread safety: pure functions.
#pragma once

#include <array>
#include <bit>
#include <cereal/cereal.hpp>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/sign.h"
#include "base/types.h"

namespace muster {

template <class Archive>
void serialize(Archive& archive, Hash& hash) {
  archive(hash.bytes);
}
template <class Archive>
void serialize(Archive& archive, PublicKey& key) {
  archive(key.bytes);
}
template <class Archive>
void serialize(Archive& archive, Signature& signature) {
  archive(signature.bytes);
}
template <class Archive>
void serialize(Archive& archive, Uid& uid) {
  archive(uid.value);
}
template <class Archive>
void serialize(Archive& archive, Round& round) {
  archive(round.value);
}

constexpr std::uint8_t enum_count(Role) { return 4; }

}  // namespace muster

namespace muster::wire {

class WriteArchive;
class ReadArchive;

// Enums on the wire: one byte, and enum_count(E{}) says how many values there are.
template <class E>
concept WireEnum = std::is_enum_v<E> && sizeof(E) == 1 && requires(E e) {
  { enum_count(e) } -> std::same_as<std::uint8_t>;
};

}  // namespace muster::wire

CEREAL_SETUP_ARCHIVE_TRAITS(muster::wire::ReadArchive, muster::wire::WriteArchive)

// cereal would take any value for an enum; ours come first.
template <class Archive, muster::wire::WireEnum E>
struct cereal::specialize<Archive, E, cereal::specialization::non_member_load_save>
    : std::true_type {};

namespace muster::wire {

class WriteArchive : public cereal::OutputArchive<WriteArchive> {
 public:
  WriteArchive() : OutputArchive(this) {}
  ByteWriter out;
};

class ReadArchive : public cereal::InputArchive<ReadArchive> {
 public:
  explicit ReadArchive(ByteSpan bytes) : InputArchive(this), in(bytes), size_(bytes.size()) {}

  // Remembers the first thing that was wrong; every read after it gives zeros.
  void refuse(std::string why) {
    if (in.failed()) return;
    refusal_ = std::move(why) + " at byte " + std::to_string(size_ - in.remaining());
    in.fail();
  }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  ByteReader in;

 private:
  std::size_t size_;
  std::string refusal_;
};

template <class T>
[[nodiscard]] Bytes encode(const T& value) {
  WriteArchive archive;
  archive(value);
  return std::move(archive.out).take();
}

// The bytes of T's smallest value: what one more element of a vector costs at least.
template <class T>
[[nodiscard]] std::size_t smallest_encoding() {
  static const std::size_t bytes = encode(T{}).size();
  return bytes;
}

// `what` names the message in errors. Errors: kTooLarge, kTruncated, kMalformed.
template <class T>
[[nodiscard]] Result<T> decode(ByteSpan bytes, std::string_view what) {
  if (bytes.size() > limits::kMessageBytesMax) {
    return Error{Errc::kTooLarge, std::string(what) + ": " + std::to_string(bytes.size()) +
                                      " bytes, at most " +
                                      std::to_string(limits::kMessageBytesMax)};
  }
  ReadArchive archive(bytes);
  T value{};
  archive(value);
  if (!archive.refusal().empty())
    return Error{Errc::kMalformed, std::string(what) + ": " + archive.refusal()};
  if (archive.in.failed()) return Error{Errc::kTruncated, std::string(what) + ": ends too early"};
  if (!archive.in.finished()) {
    return Error{
        Errc::kMalformed,
        std::string(what) + ": " + std::to_string(archive.in.remaining()) + " bytes after its end"};
  }
  return value;
}

// ---- what cereal calls for each kind of field

template <class T>
requires(std::unsigned_integral<T> &&
         !std::same_as<T, bool>) void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive,
                                                                const T& value) {
  archive.out.write(value);
}
template <class T>
requires(std::unsigned_integral<T> &&
         !std::same_as<T, bool>) void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, T& value) {
  value = archive.in.read<T>();
}

template <std::signed_integral T>
void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const T& value) {
  archive.out.write(static_cast<std::make_unsigned_t<T>>(value));
}
template <std::signed_integral T>
void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, T& value) {
  value = static_cast<T>(archive.in.read<std::make_unsigned_t<T>>());
}

inline void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const bool& value) {
  archive.out.write(static_cast<std::uint8_t>(value));
}
inline void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, bool& value) {
  const auto byte = archive.in.read<std::uint8_t>();
  if (byte > 1) archive.refuse("a boolean that is neither 0 nor 1");
  value = byte == 1;
}

inline void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const float& value) {
  archive.out.write(std::bit_cast<std::uint32_t>(value));
}
inline void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, float& value) {
  value = std::bit_cast<float>(archive.in.read<std::uint32_t>());
}
inline void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const double& value) {
  archive.out.write(std::bit_cast<std::uint64_t>(value));
}
inline void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, double& value) {
  value = std::bit_cast<double>(archive.in.read<std::uint64_t>());
}

template <WireEnum E>
void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const E& value) {
  archive.out.write(static_cast<std::uint8_t>(value));
}
template <WireEnum E>
void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, E& value) {
  const auto byte = archive.in.read<std::uint8_t>();
  if (byte >= enum_count(E{})) return archive.refuse("an unknown enum value");
  value = static_cast<E>(byte);
}

template <std::size_t N>
void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const std::array<std::uint8_t, N>& bytes) {
  archive.out.append(bytes);
}
template <std::size_t N>
void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, std::array<std::uint8_t, N>& bytes) {
  if (const ByteSpan raw = archive.in.take(N); raw.size() == N)
    std::copy(raw.begin(), raw.end(), bytes.begin());
}

inline void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const std::string& text) {
  archive.out.write(static_cast<std::uint32_t>(text.size()));
  archive.out.append(bytes_of(text));
}
inline void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, std::string& text) {
  const auto count = archive.in.read<std::uint32_t>();
  if (count > limits::kTextBytesMax) return archive.refuse("a text of over 4096 bytes");
  const ByteSpan raw = archive.in.take(count);
  text.assign(raw.begin(), raw.end());
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const std::vector<T>& values) {
  archive.out.write(static_cast<std::uint32_t>(values.size()));
  if constexpr (std::same_as<T, std::uint8_t>) {
    archive.out.append(values);
  } else {
    for (const T& value : values) archive(value);
  }
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, std::vector<T>& values) {
  const auto count = archive.in.read<std::uint32_t>();
  values.clear();
  if (count > archive.in.remaining() / smallest_encoding<T>())
    return archive.refuse("a count of " + std::to_string(count) + " that the bytes cannot hold");
  if constexpr (std::same_as<T, std::uint8_t>) {
    const ByteSpan raw = archive.in.take(count);
    values.assign(raw.begin(), raw.end());
  } else {
    values.resize(count);
    for (T& value : values) {
      archive(value);
      if (archive.in.failed()) return values.clear();
    }
  }
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(WriteArchive& archive, const std::optional<T>& value) {
  archive(value.has_value());
  if (value) archive(*value);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(ReadArchive& archive, std::optional<T>& value) {
  bool present = false;
  archive(present);
  value.reset();
  if (present) archive(value.emplace());
}

}  // namespace muster::wire
