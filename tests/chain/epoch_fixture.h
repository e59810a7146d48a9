// Small subnets for epoch tests. Thread safety: plain values.
#pragma once

#include <vector>

#include "chain/yuma/epoch.h"

namespace muster::chain {

struct Weight {
  std::uint16_t uid;
  std::uint16_t value;
};

inline SparseU16 rows_of(const std::vector<std::vector<Weight>>& rows) {
  SparseU16 result;
  for (const auto& row : rows) {
    for (const Weight& weight : row) result.append(weight.uid, weight.value);
    result.close_row();
  }
  return result;
}

// Neurons with these stakes, all permitted, updated at block 90 of 100 and registered at block 1;
// no weights yet.
inline EpochInput subnet_of(const std::vector<std::uint64_t>& stakes) {
  EpochInput input;
  input.parameters.commit_reveal = false;
  input.block = 100;
  input.last_step_block = 50;
  input.emission = 1'000'000'000;
  input.alpha_stake = stakes;
  const std::size_t neurons = stakes.size();
  input.root_stake.resize(neurons);
  input.block_at_registration.assign(neurons, 1);
  input.last_update.assign(neurons, 90);
  input.validator_permit.assign(neurons, true);
  input.weights = rows_of(std::vector<std::vector<Weight>>(neurons));
  input.bonds = input.weights;
  return input;
}

}  // namespace muster::chain
