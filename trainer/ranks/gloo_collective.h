// A Collective of processes, or threads, of one machine: arrays in the host's memory, over TCP on
// the loopback interface, by Gloo.
//
// Sums are made at the owner of a range, by ascending rank. Thread safety: as base/collective.h.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/collective.h"

namespace muster::trainer {

// Where ranks find each other, and how long one waits for another.
struct Meeting {
  std::filesystem::path
      folder;  // exists, empty at first, the same for all ranks and for them alone
  TimeMs timeout_ms = 600'000;
};

// Returns when all ranks are there. SIGPIPE is ignored in this process from then on: Gloo writes to
// sockets whose other end may be gone. Errors: kClosed (not all came in time), kIo (the folder).
[[nodiscard]] Result<std::unique_ptr<Collective>> join_gloo(const Meeting& meeting, unsigned rank,
                                                            unsigned size);

}  // namespace muster::trainer
