// Finding the checker of a case by its `fn` or `kind`. Thread safety: pure.
#pragma once

#include <map>
#include <string>

#include "tests/chain/vectors/verdict.h"

namespace muster::chain::vectors {

using Checks = std::map<std::string, Verdict (*)(const json& test)>;

inline Verdict dispatch(const Checks& checks, const json& test, const char* field) {
  const std::string& kind = string_of(member(test, field), field);
  const auto check = checks.find(kind);
  return check == checks.end() ? Verdict::unknown_kind(kind) : check->second(test);
}

}  // namespace muster::chain::vectors
