// When a phase may end before its hard bound.
//
// It ends when everybody expected has delivered, or when a quorum has and a grace period has passed. The
// grace follows from the arrivals in past manifests, so it is the same for everyone who computes it:
// twice the lower median of (last arrival − quorum arrival), within the configured bounds.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "protocol/params.h"

namespace muster::protocol {

// How many of `expected` are a quorum: ⌈expected · percent / 100⌉.
[[nodiscard]] constexpr std::size_t quorum_of(std::size_t expected, std::uint16_t percent) {
  return (expected * percent + 99) / 100;
}

// Milliseconds from the arrival of the quorum's payload to that of the last one; none for no arrivals.
[[nodiscard]] std::optional<std::uint32_t> tail_ms(std::vector<std::uint32_t> arrivals,
                                                   std::uint16_t quorum_percent);
// `tails`: tail_ms of past sealed rounds; the newest 16 count.
[[nodiscard]] std::uint32_t grace_ms(const TimingParams& timing, std::span<const std::uint32_t> tails);

struct PhaseProgress {
  std::size_t expected = 0;
  std::size_t expected_arrived = 0;
  TimeMs started = 0;
  std::optional<TimeMs> quorum_at;  // when the quorum was complete
};
// The time at which the phase ends if nothing more arrives; `started` when it may end now.
[[nodiscard]] TimeMs phase_end(const PhaseProgress& progress, std::uint32_t hard_ms,
                               std::uint32_t grace);

}  // namespace muster::protocol
