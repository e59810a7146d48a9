// Checks that stay on in every build: a false one is a bug of ours, so the process aborts with the
// place, the expression and a message. Never used on what a peer, a file or a user can cause.
#pragma once

#include <string_view>

namespace muster {

[[noreturn]] void check_failed(const char* file, int line, const char* expression,
                               std::string_view message);

}  // namespace muster

#define MUSTER_CHECK(condition, message)                                               \
  do {                                                                                 \
    if (!(condition)) ::muster::check_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)

#define MUSTER_UNREACHABLE() ::muster::check_failed(__FILE__, __LINE__, "reachable", "")
