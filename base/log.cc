#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/printable.h"

namespace muster {
namespace {

constexpr std::size_t kLineBytesMax = 64u << 10;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  MUSTER_UNREACHABLE();
}

}  // namespace

struct Logger::Sink {
  spdlog::logger logger;
};

Logger::Logger() = default;

Result<Logger> Logger::open(std::string name, const std::filesystem::path& file, LogLevel level) {
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
    }
    Logger logger;
    logger.sink_ = std::make_shared<Sink>(Sink{spdlog::logger(std::move(name), sink)});
    logger.sink_->logger.set_level(to_spdlog(level));
    logger.sink_->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%L%$ [%n] %v");
    logger.sink_->logger.flush_on(spdlog::level::debug);
    return logger;
  } catch (const spdlog::spdlog_ex& exception) {
    return Error{Errc::kIo, file.string() + ": cannot log there: " + exception.what()};
  }
}

void Logger::write(LogLevel level, std::string_view text) const {
  if (sink_) sink_->logger.log(to_spdlog(level), printable(text, kLineBytesMax));
}

}  // namespace muster
