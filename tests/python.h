// Python for tests that ask other libraries: $MUSTER_PYTHON, or python3.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/check.h"

namespace muster::testing {

// Standard output of a shell command; empty when it fails.
inline std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  MUSTER_CHECK(pipe != nullptr, command);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
    output.push_back(static_cast<char>(c));
  return ::pclose(pipe) == 0 ? output : "";
}

inline std::string python() {
  const char* named = std::getenv("MUSTER_PYTHON");
  return named == nullptr ? "python3" : named;
}

// `packages`: names, with commas between them.
inline bool python_has(const std::string& packages) {
  return !output_of(python() + " -c 'import " + packages + "; print(1)' 2>/dev/null").empty();
}

}  // namespace muster::testing
