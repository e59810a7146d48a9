#include "chain/economy/schedule.h"

#include <algorithm>

namespace muster::chain {
namespace {

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

std::uint64_t saturating_difference(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

bool is_epoch_due(const EpochClock& clock, std::uint64_t block) {
  if (clock.tempo == 0) return false;
  if (clock.pending_epoch_at > 0 && block >= clock.pending_epoch_at) return true;
  if (clock.blocks_since_last_step > kTempoMax) return true;
  return saturating_difference(block, clock.last_epoch_block) >= clock.tempo;
}

std::optional<std::uint64_t> next_epoch_block(const EpochClock& clock) {
  if (clock.tempo == 0) return std::nullopt;
  const std::uint64_t regular = saturating_sum(clock.last_epoch_block, clock.tempo);
  return clock.pending_epoch_at > 0 ? std::min(regular, clock.pending_epoch_at) : regular;
}

std::uint64_t blocks_until_epoch(const EpochClock& clock, std::uint64_t block) {
  if (clock.tempo == 0) return UINT64_MAX;
  return saturating_difference(saturating_sum(clock.last_epoch_block, clock.tempo), block);
}

std::uint64_t first_epoch_anchor(std::uint64_t block, std::uint16_t netuid, std::uint16_t tempo) {
  const std::uint64_t period = std::max<std::uint64_t>(tempo, 1);
  return saturating_difference(block, netuid % period);
}

std::uint64_t activity_cutoff_blocks(std::uint32_t factor_milli, std::uint16_t tempo) {
  return std::max<std::uint64_t>(std::uint64_t{factor_milli} * tempo / 1000, 1);
}

std::uint64_t epoch_of_commit(std::uint64_t epoch_index, bool epoch_is_due) {
  return epoch_is_due ? saturating_sum(epoch_index, 1) : epoch_index;
}

bool is_in_reveal_window(std::uint64_t commit_epoch, std::uint64_t reveal_period,
                         std::uint64_t epoch) {
  return epoch == saturating_sum(commit_epoch, reveal_period);
}

bool is_commit_expired(std::uint64_t commit_epoch, std::uint64_t reveal_period,
                       std::uint64_t epoch) {
  return epoch > saturating_sum(commit_epoch, reveal_period);
}

}  // namespace muster::chain
