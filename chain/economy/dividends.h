// How the dividends of an epoch become alpha and root payments to validators, and what a take
// leaves to their nominators.
//
// Source: subtensor: coinbase/run_coinbase.rs (calculate_dividend_distribution,
// distribute_dividends_and_incentives).
// Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

struct Validator {
  U96F32 dividends;  // of the epoch, parents' shares included
  std::uint64_t alpha_stake = 0;
  std::uint64_t root_stake = 0;
};

struct ValidatorPay {
  U96F32 alpha;       // of the pending validator alpha
  U96F32 root_alpha;  // of the pending root alpha
};

// Splits each validator's dividends by its root stake's weight, and each pool pro rata of its part.
[[nodiscard]] std::vector<ValidatorPay> distribute_dividends(std::span<const Validator> validators,
                                                             std::uint64_t pending_alpha,
                                                             std::uint64_t pending_root_alpha,
                                                             U96F32 tao_weight);

// In rao, each rounded down.
struct TakeSplit {
  std::uint64_t take = 0;  // to the validator's owner
  std::uint64_t rest = 0;  // to all stakers
};
[[nodiscard]] TakeSplit split_take(U96F32 pay, std::uint16_t take_u16);

// The part of an epoch's incentives that went to owners' hotkeys; zero without incentives.
[[nodiscard]] U96F32 withheld_proportion(std::uint64_t withheld, std::uint64_t incentives);

}  // namespace muster::chain
