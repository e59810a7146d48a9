// When a phase may end before its hard bound.
//
// It ends when everybody awaited has delivered, or when those who hold a quorum of the weight have
// and a grace period has passed. The grace follows from the arrivals in past manifests, so it is
// the same for everyone who computes it: twice the lower median of their tails, within the
// configured bounds. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "protocol/params.h"

namespace muster::protocol {

struct Arrival {
  std::uint32_t ms = 0;      // after the round opened
  std::uint64_t weight = 0;  // protocol/weight.h
};
// Milliseconds from the arrival that completes a quorum of the weight that arrived to the one that
// completes nine tenths of it, or the quorum where that is more: the last tenth, which is all that
// newcomers hold, cannot stretch it. None for no arrivals.
[[nodiscard]] std::optional<std::uint32_t> tail_ms(std::vector<Arrival> arrivals,
                                                   std::uint16_t quorum_percent);
// `tails`: tail_ms of past sealed rounds; the newest 16 count.
[[nodiscard]] std::uint32_t grace_ms(const TimingParams& timing,
                                     std::span<const std::uint32_t> tails);

// A member that may deliver in a phase.
struct Attendant {
  std::uint64_t weight = 0;  // protocol/weight.h
  bool is_expected = false;  // by what it did in the last rounds
  bool has_arrived = false;
};
struct Turnout {
  bool is_complete = false;  // everybody awaited has arrived; also when nobody is
  bool is_quorum = false;    // so have those who hold the quorum of their weight
};
// The expected are awaited where they hold at least half of the weight. Otherwise everybody is:
// those who kept others from delivering in time must not decide whom the run waits for.
[[nodiscard]] Turnout turnout(std::span<const Attendant> attendants, std::uint16_t quorum_percent);

struct PhaseProgress {
  bool is_complete = false;  // everybody awaited has delivered
  TimeMs started = 0;
  std::optional<TimeMs> quorum_at;  // when the quorum was complete
};
// The time at which the phase ends if nothing more arrives; `started` when it may end now.
[[nodiscard]] TimeMs phase_end(const PhaseProgress& progress, std::uint32_t hard_ms,
                               std::uint32_t grace);

}  // namespace muster::protocol
