// Logging: one line per event, to standard error and, for nodes, to a file.
//
// Text is escaped (base/printable.h), so that one event stays one line whatever a peer put into it.
// A Logger is passed to who needs it; there is no global one. Thread safety: all members.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

class Logger {
 public:
  // Drops everything.
  Logger();
  // Lines carry time, level and `name`; written to `file` when not empty, else to standard error.
  [[nodiscard]] static Result<Logger> open(std::string name, const std::filesystem::path& file,
                                           LogLevel level);

  void debug(std::string_view text) const { write(LogLevel::kDebug, text); }
  void info(std::string_view text) const { write(LogLevel::kInfo, text); }
  void warning(std::string_view text) const { write(LogLevel::kWarning, text); }
  void error(std::string_view text) const { write(LogLevel::kError, text); }

 private:
  void write(LogLevel level, std::string_view text) const;
  struct Sink;
  // Shared because a logger is a value that several parts of one node hold.
  std::shared_ptr<Sink> sink_;
};

}  // namespace muster
