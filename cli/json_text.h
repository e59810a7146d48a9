// JSON as it leaves the program.
//
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace muster::cli {

// `indent`: spaces per level; -1: one line. Whatever strings hold, this succeeds and is ASCII, so
// that nothing in it steers a terminal: bytes that are no UTF-8 become U+FFFD.
template <class Json>
[[nodiscard]] std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', true, Json::error_handler_t::replace);
}

}  // namespace muster::cli
