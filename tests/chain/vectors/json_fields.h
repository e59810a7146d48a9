// Strict reading of test vectors: every value has the type and range that its reader asks for, or a
// Malformed says where.
//
// Why: nlohmann's own conversions turn -1 and 1.5 into unsigned integers without a word. Numbers of
// more than 53 bits stand in the files as decimal strings; both spellings are read. Thread safety:
// pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain::vectors {

using nlohmann::json;

struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[nodiscard]] std::string to_text(Int128 value);
[[nodiscard]] std::string to_text(Uint128 value);

// Errors: Malformed, where it is no object or has no such member.
[[nodiscard]] const json& member(const json& object, const char* name);

// A whole number within least..most, from a number, a boolean or a decimal string.
[[nodiscard]] Int128 integer_within(const json& value, const char* name, Int128 least, Int128 most);
[[nodiscard]] Uint128 uint128_of(const json& value, const char* name);
[[nodiscard]] double number_of(const json& value, const char* name);
[[nodiscard]] const std::string& string_of(const json& value, const char* name);
// An array of at most 2^20 elements.
[[nodiscard]] const json& array_of(const json& value, const char* name);

template <Integer T>
[[nodiscard]] T integer_of(const json& value, const char* name) {
  if constexpr (std::is_same_v<T, Uint128>) {
    return uint128_of(value, name);
  } else {
    return static_cast<T>(integer_within(value, name, kIntegerMin<T>, kIntegerMax<T>));
  }
}

template <Integer T>
[[nodiscard]] T integer(const json& object, const char* name) {
  return integer_of<T>(member(object, name), name);
}
[[nodiscard]] inline std::uint64_t u64(const json& object, const char* name) {
  return integer<std::uint64_t>(object, name);
}
[[nodiscard]] inline std::uint16_t u16(const json& object, const char* name) {
  return integer<std::uint16_t>(object, name);
}
[[nodiscard]] inline bool flag(const json& object, const char* name) {
  return integer_within(member(object, name), name, 0, 1) != 0;
}
[[nodiscard]] inline double number(const json& object, const char* name) {
  return number_of(member(object, name), name);
}

// Raw bits.
template <class F>
[[nodiscard]] F fixed(const json& object, const char* name) {
  return F::from_bits(integer<typename F::Bits>(object, name));
}

// The nearest fixed-point number, ties to even; saturates.
template <class F>
[[nodiscard]] F fixed_from_number(double value);

template <class T, class Read>
[[nodiscard]] std::vector<T> list(const json& object, const char* name, const Read& read) {
  std::vector<T> values;
  for (const json& element : array_of(member(object, name), name))
    values.push_back(read(element, name));
  return values;
}
template <Integer T>
[[nodiscard]] std::vector<T> integers(const json& object, const char* name) {
  return list<T>(object, name, integer_of<T>);
}
template <class F>
[[nodiscard]] std::vector<F> fixed_list(const json& object, const char* name) {
  return list<F>(object, name, [](const json& value, const char* field) {
    return F::from_bits(integer_of<typename F::Bits>(value, field));
  });
}
[[nodiscard]] inline std::vector<double> numbers(const json& object, const char* name) {
  return list<double>(object, name, number_of);
}

extern template I32F32 fixed_from_number(double);
extern template I96F32 fixed_from_number(double);
extern template U96F32 fixed_from_number(double);
extern template U64F64 fixed_from_number(double);

}  // namespace muster::chain::vectors
