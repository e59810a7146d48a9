#include "chain/yuma/epoch.h"

#include <algorithm>

#include "base/check.h"
#include "chain/fixed/median.h"
#include "chain/fixed/vectors.h"
#include "chain/yuma/bonds.h"

namespace muster::chain {
namespace {

std::uint64_t at_or(const std::vector<std::uint64_t>& values, std::size_t i,
                    std::uint64_t otherwise) {
  return i < values.size() ? values[i] : otherwise;
}

std::vector<bool> negated(const std::vector<bool>& flags) {
  std::vector<bool> result(flags);
  result.flip();
  return result;
}

void permit_owner(const EpochInput& input, std::vector<bool>& permits) {
  if (input.owner_uid && *input.owner_uid < permits.size()) permits[*input.owner_uid] = true;
}

// As long as last_update.
std::vector<bool> activity(const EpochInput& input) {
  std::vector<bool> active;
  active.reserve(input.last_update.size());
  for (const std::uint64_t updated : input.last_update) {
    std::uint64_t until;
    active.push_back(
        __builtin_add_overflow(updated, input.parameters.activity_cutoff_blocks, &until) ||
        until >= input.block);
  }
  return active;
}

// Shares of the weighted stake that reaches the threshold.
std::vector<I32F32> stake_shares(const EpochInput& input, std::vector<I64F64> stakes) {
  for (std::size_t i = 0; i < stakes.size(); ++i) {
    const bool is_owner = input.owner_uid && *input.owner_uid == i;
    if (!is_owner && integer_from<std::uint64_t>(stakes[i]) < input.parameters.stake_threshold)
      stakes[i] = I64F64::zero();
  }
  normalize(stakes);
  std::vector<I32F32> shares;
  shares.reserve(stakes.size());
  for (const I64F64 stake : stakes) shares.push_back(fixed_from<I32F32>(stake));
  return shares;
}

// Weights that count: of validators, not of oneself, of neurons that were there when they were set.
// Rows sum to one.
SparseMatrix valid_weights(const EpochInput& input, const std::vector<bool>& permits) {
  const auto counts = [&](std::size_t i, std::size_t j) {
    const bool is_own = i == j && !(input.owner_uid && *input.owner_uid == i);
    if (j >= input.neurons() || is_own) return false;
    const std::uint64_t registered = input.block_at_registration[j];
    if (at_or(input.last_update, i, 0) <= registered) return false;
    return !input.parameters.commit_reveal || at_or(input.commit_block, i, kNoCommit) >= registered;
  };
  SparseMatrix weights;
  weights.reserve(input.weights.rows(), input.weights.entries().size());
  for (std::size_t i = 0; i < input.weights.rows(); ++i) {
    if (i < permits.size() && permits[i])
      for (const auto& [column, value] : input.weights.row(i))
        if (counts(i, column)) weights.append(column, fixed_from<I32F32>(value));
    weights.close_row();
  }
  row_normalize(weights);
  return weights;
}

struct EmissionShares {
  std::vector<I32F32> server;
  std::vector<I32F32> validator;
  std::vector<I32F32> combined;
};

EmissionShares emission_shares(std::span<const I32F32> incentive, std::span<const I32F32> dividends,
                               std::span<const I32F32> stake,
                               std::span<const I32F32> active_stake) {
  EmissionShares shares;
  shares.server.assign(incentive.begin(), incentive.end());
  shares.validator.assign(dividends.begin(), dividends.end());
  for (std::size_t i = 0; i < incentive.size(); ++i)
    shares.combined.push_back(incentive[i] + dividends[i]);
  const I32F32 sum = wrapping_sum<I32F32>(shares.combined);
  normalize_by(shares.server, sum);
  normalize_by(shares.validator, sum);
  normalize_by(shares.combined, sum);
  if (sum == I32F32::zero()) {
    // Without weights validators are paid by their stake, active or not.
    const auto& paid = sums_to_zero(active_stake) ? stake : active_stake;
    shares.validator.assign(paid.begin(), paid.end());
    shares.combined = shares.validator;
  }
  return shares;
}

std::vector<std::uint64_t> divided(std::uint64_t emission, std::span<const I32F32> shares) {
  const I96F32 whole = fixed_from<I96F32>(emission);
  std::vector<std::uint64_t> parts;
  parts.reserve(shares.size());
  for (const I32F32 share : shares)
    parts.push_back(integer_from<std::uint64_t>(fixed_from<I96F32>(share) * whole));
  return parts;
}

std::vector<std::uint16_t> proportions(std::span<const I32F32> values) {
  std::vector<std::uint16_t> parts;
  parts.reserve(values.size());
  for (const I32F32 value : values) parts.push_back(proportion_from(value));
  return parts;
}

SparseU16 stored(const SparseMatrix& bonds, const std::vector<bool>& permits) {
  SparseU16 rows;
  rows.reserve(bonds.rows(), bonds.entries().size());
  for (std::size_t i = 0; i < bonds.rows(); ++i) {
    if (permits[i])
      for (const auto& [column, value] : bonds.row(i)) rows.append(column, proportion_from(value));
    rows.close_row();
  }
  return rows;
}

void check_sizes(const EpochInput& input) {
  const std::size_t neurons = input.neurons();
  MUSTER_CHECK(neurons <= 65535, "uids have 16 bits");
  MUSTER_CHECK(input.root_stake.size() == neurons, "a root stake per neuron");
  MUSTER_CHECK(input.block_at_registration.size() == neurons, "a registration per neuron");
  MUSTER_CHECK(input.weights.rows() == neurons, "a row of weights per neuron");
  MUSTER_CHECK(input.bonds.rows() == neurons, "a row of bonds per neuron");
}

}  // namespace

std::vector<I64F64> weighted_stakes(const EpochInput& input) {
  const U96F32 tao_weight =
      safe_div(fixed_from<U96F32>(input.parameters.tao_weight), fixed_from<U96F32>(UINT64_MAX));
  const auto factor = fixed_from<I64F64>(tao_weight);
  std::vector<I64F64> stakes;
  stakes.reserve(input.neurons());
  for (std::size_t i = 0; i < input.neurons(); ++i)
    stakes.push_back(fixed_from<I64F64>(input.alpha_stake[i]) +
                     fixed_from<I64F64>(input.root_stake[i]) * factor);
  return stakes;
}

EpochOutput run_epoch(const EpochInput& input) {
  check_sizes(input);
  const EpochParameters& parameters = input.parameters;
  const std::size_t neurons = input.neurons();
  EpochOutput output;

  const std::vector<bool> active = activity(input);
  const std::vector<I64F64> stakes = weighted_stakes(input);
  const std::vector<I32F32> stake = stake_shares(input, stakes);

  std::vector<bool> permits = input.validator_permit;
  permit_owner(input, permits);
  output.validator_permit = is_among_largest_nonzero(stake, parameters.validators_max);
  permit_owner(input, output.validator_permit);

  std::vector<I32F32> active_stake = stake;
  mask_values(negated(active), active_stake);
  mask_values(negated(permits), active_stake);
  normalize(active_stake);

  const SparseMatrix weights = valid_weights(input, permits);
  std::vector<I32F32> consensus =
      column_medians(active_stake, weights, neurons, fixed_from_proportion(parameters.kappa));
  const SparseMatrix clipped = col_clip(weights, consensus);
  std::vector<I32F32> trust = row_sums(clipped);
  std::vector<I32F32> incentive = column_dots(clipped, active_stake, neurons);
  normalize(incentive);

  const SparseMatrix bond_weights =
      interpolated(weights, clipped, neurons, fixed_from_proportion(parameters.bonds_penalty));
  BondsAndDividends bonds = update_bonds({input, bond_weights, active_stake, consensus, incentive});

  const EmissionShares shares = emission_shares(incentive, bonds.dividends, stake, active_stake);
  output.server_emission = divided(input.emission, shares.server);
  output.validator_emission = divided(input.emission, shares.validator);
  output.emission = divided(input.emission, shares.combined);

  output.active = active;
  output.active.resize(neurons);
  output.stake_weight = proportions(stake);
  output.consensus = proportions(consensus);
  output.incentive = proportions(incentive);
  output.dividends = proportions(bonds.dividends);
  output.validator_trust = proportions(trust);
  for (const I64F64 value : stakes) output.stake.push_back(integer_from<std::uint64_t>(value));
  output.bonds = stored(bonds.bonds, output.validator_permit);
  output.exact = {std::move(active_stake), std::move(consensus), std::move(incentive),
                  std::move(bonds.dividends), std::move(trust)};
  return output;
}

}  // namespace muster::chain
