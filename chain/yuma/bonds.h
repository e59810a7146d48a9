// Bonds: what validators earn for having weighed a miner early, and the dividends that they give.
//
// Source: subtensor: epoch/run_epoch.rs (both branches of Yuma3On). Thread safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "chain/yuma/epoch.h"

namespace muster::chain {

struct BondsAndDividends {
  SparseMatrix bonds;  // to be stored, 1 for the largest value that can be
  std::vector<I32F32> dividends;
};

// What one epoch knows when it comes to bonds.
struct BondsInput {
  const EpochInput& epoch;
  const SparseMatrix& weights;  // with the penalty applied
  std::span<const I32F32> active_stake;
  std::span<const I32F32> consensus;
  std::span<const I32F32> incentive;
};

[[nodiscard]] BondsAndDividends update_bonds(const BondsInput& input);

}  // namespace muster::chain
