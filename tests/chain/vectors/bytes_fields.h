// Byte fields of test vectors: hex strings of the length that their reader asks for. Thread safety:
// pure functions.
#pragma once

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sign.h"
#include "tests/chain/vectors/json_fields.h"

namespace muster::chain::vectors {

[[nodiscard]] inline Bytes hex_of(const json& value, const char* name) {
  auto bytes = from_hex(string_of(value, name));
  if (!bytes) throw Malformed("field '" + std::string(name) + "' is no hex");
  return std::move(bytes).value();
}
[[nodiscard]] inline Bytes hex(const json& object, const char* name) {
  return hex_of(member(object, name), name);
}
[[nodiscard]] inline const std::string& text(const json& object, const char* name) {
  return string_of(member(object, name), name);
}

// A struct whose only content is the array `bytes`.
template <class T>
[[nodiscard]] T fixed_bytes_of(const json& value, const char* name) {
  const Bytes bytes = hex_of(value, name);
  T out;
  if (bytes.size() != out.bytes.size())
    throw Malformed("field '" + std::string(name) + "' has another length");
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}
template <class T>
[[nodiscard]] T fixed_bytes(const json& object, const char* name) {
  return fixed_bytes_of<T>(member(object, name), name);
}

}  // namespace muster::chain::vectors
