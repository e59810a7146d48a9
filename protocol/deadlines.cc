#include "protocol/deadlines.h"

#include <algorithm>

#include "protocol/weight.h"

namespace muster::protocol {
namespace {

constexpr std::size_t kRoundsLookedAt = 16;
constexpr std::uint16_t kTailPercent = 90;

// The arrival that completes so many percent of the weight. REQUIRES: arrivals, ascending.
std::uint32_t completed_ms(std::span<const Arrival> arrivals, std::uint16_t percent) {
  for (std::size_t last = 0; last < arrivals.size(); ++last) {
    Share share;
    for (std::size_t i = 0; i < arrivals.size(); ++i) share.add(arrivals[i].weight, i <= last);
    if (share.is_at_least(percent)) return arrivals[last].ms;
  }
  return arrivals.back().ms;
}

}  // namespace

std::optional<std::uint32_t> tail_ms(std::vector<Arrival> arrivals, std::uint16_t quorum_percent) {
  if (arrivals.empty()) return std::nullopt;
  std::ranges::sort(arrivals, {}, &Arrival::ms);
  return completed_ms(arrivals, std::max(kTailPercent, quorum_percent)) -
         completed_ms(arrivals, quorum_percent);
}

std::uint32_t grace_ms(const TimingParams& timing, std::span<const std::uint32_t> tails) {
  if (tails.size() > kRoundsLookedAt) tails = tails.last(kRoundsLookedAt);
  if (tails.empty()) return timing.grace_max_ms;
  std::vector<std::uint32_t> sorted(tails.begin(), tails.end());
  std::sort(sorted.begin(), sorted.end());
  const std::uint64_t twice_median = 2 * std::uint64_t{sorted[(sorted.size() - 1) / 2]};
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(twice_median, timing.grace_min_ms, timing.grace_max_ms));
}

Turnout turnout(std::span<const Attendant> attendants, std::uint16_t quorum_percent) {
  Share expected, arrived, arrived_of_expected;
  bool all = true, all_expected = true;
  for (const Attendant& attendant : attendants) {
    expected.add(attendant.weight, attendant.is_expected);
    arrived.add(attendant.weight, attendant.has_arrived);
    all = all && attendant.has_arrived;
    if (!attendant.is_expected) continue;
    arrived_of_expected.add(attendant.weight, attendant.has_arrived);
    all_expected = all_expected && attendant.has_arrived;
  }
  const bool are_expected_awaited = expected.is_at_least(50);
  const Share& awaited = are_expected_awaited ? arrived_of_expected : arrived;
  const bool is_complete = are_expected_awaited ? all_expected : all;
  return {is_complete, is_complete || awaited.is_at_least(quorum_percent)};
}

TimeMs phase_end(const PhaseProgress& progress, std::uint32_t hard_ms, std::uint32_t grace) {
  if (progress.is_complete) return progress.started;
  const TimeMs hard = progress.started + hard_ms;
  return progress.quorum_at ? std::min(hard, *progress.quorum_at + grace) : hard;
}

}  // namespace muster::protocol
