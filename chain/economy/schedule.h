// When a subnet's epochs run, and when its weight commits may be revealed.
//
// Source: subtensor: coinbase/run_coinbase.rs (should_run_epoch, get_next_epoch_start_block),
// utils/misc.rs (get_activity_cutoff_blocks), subnets/weights.rs (is_reveal_block_range,
// is_commit_expired), subnets/subnet.rs (init_new_network). Thread safety: plain values, pure
// functions.
#pragma once

#include <cstdint>
#include <optional>

namespace muster::chain {

inline constexpr std::uint64_t kTempoMax = 50'400;

struct EpochClock {
  std::uint16_t tempo = 360;  // blocks per epoch; 0 for a subnet without epochs
  std::uint64_t last_epoch_block = 0;
  std::uint64_t pending_epoch_at = 0;  // asked for by the owner or deferred; 0 for none
  std::uint64_t blocks_since_last_step = 0;
};

// Whether an epoch is due at `block`: asked for, overdue, or a tempo after the last one.
[[nodiscard]] bool is_epoch_due(const EpochClock& clock, std::uint64_t block);

// The block at which the next epoch is to be expected; nothing without a tempo.
[[nodiscard]] std::optional<std::uint64_t> next_epoch_block(const EpochClock& clock);

// Blocks until the regular epoch; 2^64 - 1 without a tempo.
[[nodiscard]] std::uint64_t blocks_until_epoch(const EpochClock& clock, std::uint64_t block);

// The last epoch block that a new subnet is given, so that subnets do not all run in one block.
[[nodiscard]] std::uint64_t first_epoch_anchor(std::uint64_t block, std::uint16_t netuid,
                                               std::uint16_t tempo);

// How long after an update a neuron counts as active: factor_milli / 1000 tempos, at least one
// block.
[[nodiscard]] std::uint64_t activity_cutoff_blocks(std::uint32_t factor_milli, std::uint16_t tempo);

// The epoch that a commit or a reveal belongs to: one further where an epoch is due in this block.
[[nodiscard]] std::uint64_t epoch_of_commit(std::uint64_t epoch_index, bool epoch_is_due);
// A commit is revealed in exactly one epoch, and expires after it.
[[nodiscard]] bool is_in_reveal_window(std::uint64_t commit_epoch, std::uint64_t reveal_period,
                                       std::uint64_t epoch);
[[nodiscard]] bool is_commit_expired(std::uint64_t commit_epoch, std::uint64_t reveal_period,
                                     std::uint64_t epoch);

}  // namespace muster::chain
