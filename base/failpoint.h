// Failpoints: named places at which a process can be told to die as by kill -9, for crash tests.
//
// A node passes through "role.action.before" and "role.action.after" around everything it does.
// With "name" or "name@N" given, the N-th pass (default: first) kills the process at once: no
// destructors, no buffers written. Thread safety: one thread.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster {

class Failpoints {
 public:
  Failpoints() = default;
  explicit Failpoints(std::string_view specification) {
    const auto at = specification.find('@');
    name_ = specification.substr(0, at);
    if (at != std::string_view::npos)
      passes_left_ = std::stoull(std::string(specification.substr(at + 1)));
  }
  void pass(std::string_view name) {
    if (!name_.empty() && name == name_ && --passes_left_ == 0) ::raise(SIGKILL);
  }

 private:
  std::string name_;
  std::uint64_t passes_left_ = 1;
};

}  // namespace muster
