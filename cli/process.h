// Child processes: started, watched and ended together. Thread safety: one thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace muster::cli {

// A running program that is ended when the object goes.
class Process {
 public:
  // Runs this same executable with `arguments`, standard output and error appended to `output`. It
  // is told to end when this process dies. `nice`: added to its priority (0: none); `inherited`:
  // descriptors that it gets too, under the same numbers.
  [[nodiscard]] static Result<Process> start(const std::string& name,
                                             const std::vector<std::string>& arguments,
                                             const std::filesystem::path& output, int nice,
                                             const std::vector<int>& inherited = {});
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  // The exit code, or 128 + signal, once it has ended.
  [[nodiscard]] std::optional<int> poll();
  void terminate();  // SIGTERM
  // Waits up to `timeout_ms`, then kills.
  int wait(int timeout_ms);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Largest resident size so far, in bytes; 0 when it cannot be read.
  [[nodiscard]] std::uint64_t peak_resident_bytes() const;

 private:
  Process(std::string name, pid_t pid) : name_(std::move(name)), pid_(pid) {}
  std::string name_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace muster::cli
