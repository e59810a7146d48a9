// Waiting out what passes by itself: a full disk, descriptors that are used up.
//
// Thread safety: as of what is attempted.
#pragma once

#include <atomic>
#include <functional>

#include "base/log.h"
#include "base/result.h"

namespace muster {

// Repeats `attempt` while it fails for want of disk space or descriptors, with `pause` in between,
// and says so in the log: at once, every `say_every` attempts, and when it has worked. `attempt`
// must change nothing when it fails. Errors: every other of the attempt's, and its last one when
// `stop` is set.
[[nodiscard]] Status wait_out(const std::function<Status()>& attempt, const std::atomic<bool>& stop,
                              const Logger& logger, const std::function<void()>& pause,
                              unsigned say_every = 120);

// The same with a pause of half a second.
[[nodiscard]] Status wait_out(const std::function<Status()>& attempt, const std::atomic<bool>& stop,
                              const Logger& logger);

}  // namespace muster
