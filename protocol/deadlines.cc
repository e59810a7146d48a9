#include "protocol/deadlines.h"

#include <algorithm>

namespace muster::protocol {
namespace {

constexpr std::size_t kRoundsLookedAt = 16;

}  // namespace

std::optional<std::uint32_t> tail_ms(std::vector<std::uint32_t> arrivals,
                                     std::uint16_t quorum_percent) {
  if (arrivals.empty()) return std::nullopt;
  std::sort(arrivals.begin(), arrivals.end());
  return arrivals.back() - arrivals[quorum_of(arrivals.size(), quorum_percent) - 1];
}

std::uint32_t grace_ms(const TimingParams& timing, std::span<const std::uint32_t> tails) {
  if (tails.size() > kRoundsLookedAt) tails = tails.last(kRoundsLookedAt);
  if (tails.empty()) return timing.grace_max_ms;
  std::vector<std::uint32_t> sorted(tails.begin(), tails.end());
  std::sort(sorted.begin(), sorted.end());
  const std::uint64_t twice_median = 2 * std::uint64_t{sorted[(sorted.size() - 1) / 2]};
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      twice_median, timing.grace_min_ms, timing.grace_max_ms));
}

TimeMs phase_end(const PhaseProgress& progress, std::uint32_t hard_ms, std::uint32_t grace) {
  if (progress.expected_arrived >= progress.expected && progress.expected > 0)
    return progress.started;
  const TimeMs hard = progress.started + hard_ms;
  return progress.quorum_at ? std::min(hard, *progress.quorum_at + grace) : hard;
}

}  // namespace muster::protocol
