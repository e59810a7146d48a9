#include "base/wait_out.h"

#include <poll.h>

namespace muster {
namespace {

constexpr int kPauseMs = 500;

bool passes(Errc code) { return code == Errc::kNoSpace || code == Errc::kNoDescriptors; }

}  // namespace

Status wait_out(const std::function<Status()>& attempt, const std::atomic<bool>& stop,
                const Logger& logger, const std::function<void()>& pause, unsigned say_every) {
  for (unsigned failures = 0;; ++failures) {
    Status status = attempt();
    if (status) {
      if (failures > 0) logger.info("works again; going on");
      return status;
    }
    if (!passes(status.error().code) || stop) return status;
    if (failures % say_every == 0)
      logger.warning(status.error().message + "; waiting until there is room, nothing is lost");
    pause();
  }
}

Status wait_out(const std::function<Status()>& attempt, const std::atomic<bool>& stop,
                const Logger& logger) {
  return wait_out(attempt, stop, logger, [] { ::poll(nullptr, 0, kPauseMs); });
}

}  // namespace muster
