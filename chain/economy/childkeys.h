// Childkeys: the stake that hotkeys lend one another, and how a child's dividends go back to its
// parents.
//
// Proportions are parts of 2^64 - 1. Source: subtensor: staking/stake_utils.rs
// (get_inherited_for_hotkey_on_subnet), coinbase/run_coinbase.rs (get_self_contribution,
// get_parent_child_dividends_distribution).
// Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

struct ParentStake {
  std::uint64_t proportion = 0;  // of it that is lent to this child
  std::uint64_t stake = 0;
};

// own - what is lent to children + what parents lend, rounded down. For alpha and for root stake
// alike.
[[nodiscard]] std::uint64_t inherited_stake(std::uint64_t own,
                                            std::span<const std::uint64_t> child_proportions,
                                            std::span<const ParentStake> parents);

// What of a hotkey's own stake, alpha and weighted root, is not lent; rounded down.
[[nodiscard]] std::uint64_t self_contribution(std::uint64_t alpha_stake, std::uint64_t root_stake,
                                              std::span<const std::uint64_t> child_proportions,
                                              U96F32 tao_weight);

struct Parent {
  std::uint64_t proportion = 0;
  std::uint64_t alpha_stake = 0;
  std::uint64_t root_stake = 0;
  bool same_owner = false;  // as the child's: then no take
};

struct ChildDividends {
  std::vector<std::uint64_t> parents;  // in their order
  std::uint64_t child = 0;             // what is left, and its takes
  std::vector<std::uint64_t> burned;   // of each parent's part, by `burn`; to be recycled
};

// Divides a child's dividends by contribution. `take_u16` is the child's take, `burn` what is
// burned of the parts of parents with another owner.
[[nodiscard]] ChildDividends split_among_parents(std::uint64_t dividends,
                                                 std::uint64_t own_contribution,
                                                 std::span<const Parent> parents,
                                                 std::uint16_t take_u16, U96F32 tao_weight,
                                                 U96F32 burn);

}  // namespace muster::chain
