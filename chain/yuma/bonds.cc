#include "chain/yuma/bonds.h"

#include <algorithm>

#include "chain/fixed/vectors.h"

namespace muster::chain {
namespace {

// Bonds of neurons that are still those of the last epoch; `scaled` as parts of 65535, else as
// whole numbers.
SparseMatrix stored_bonds(const EpochInput& epoch, bool scaled) {
  // The epoch before, taken as one tempo ago where none has run.
  const std::uint64_t tempo = epoch.parameters.tempo;
  const std::uint64_t last_epoch =
      epoch.last_step_block != 0 ? epoch.last_step_block + (epoch.last_step_block != UINT64_MAX)
                                 : epoch.block - std::min(epoch.block, tempo);
  SparseMatrix bonds;
  bonds.reserve(epoch.bonds.rows(), epoch.bonds.entries().size());
  for (std::size_t i = 0; i < epoch.bonds.rows(); ++i) {
    for (const auto& [column, value] : epoch.bonds.row(i)) {
      // A column beyond the neurons changes no other, but a reader in step with the columns stops
      // at it.
      const bool is_known = column < epoch.neurons();
      if (last_epoch <= (is_known ? epoch.block_at_registration[column] : 0)) continue;
      bonds.append(column, scaled ? fixed_from_proportion(value) : fixed_from<I32F32>(value));
    }
    bonds.close_row();
  }
  return bonds;
}

// Calls take(column, value) for what a reader that walks `row` once, in step with the columns
// 0..columns, finds in it. In a row out of order it misses what stands behind a larger column.
template <class Take>
void walk_in_step(std::span<const SparseMatrix::Entry> row, std::size_t columns, const Take& take) {
  std::size_t next = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    while (next < row.size() && row[next].column < j) ++next;
    if (next == row.size()) return;
    if (row[next].column == j) take(j, row[next].value);
  }
}

SparseMatrix follow_with_liquid_alpha(const BondsInput& input, const SparseMatrix& bonds) {
  const EpochParameters& parameters = input.epoch.parameters;
  const auto liquid = LiquidAlpha::from_parameters(parameters.alpha_low, parameters.alpha_high,
                                                   parameters.alpha_sigmoid_steepness);
  const std::size_t columns = input.consensus.size();
  std::vector<I32F32> weight_of(columns);
  std::vector<I32F32> bond_of(columns);
  const auto alpha_of_row = [&](std::size_t i, std::span<I32F32> alphas) {
    std::fill(weight_of.begin(), weight_of.end(), I32F32::zero());
    std::fill(bond_of.begin(), bond_of.end(), I32F32::zero());
    walk_in_step(input.weights.row(i), columns,
                 [&](std::size_t j, I32F32 value) { weight_of[j] = value; });
    walk_in_step(bonds.row(i), columns, [&](std::size_t j, I32F32 value) { bond_of[j] = value; });
    // Only the columns with a weight are read.
    for (const auto& entry : input.weights.row(i)) {
      const std::size_t j = entry.column;
      if (j < columns)
        alphas[j] = liquid_alpha(liquid, input.consensus[j], weight_of[j], bond_of[j]);
    }
  };
  return moving_average_by_entry(input.weights, bonds, columns, alpha_of_row);
}

BondsAndDividends yuma3(const BondsInput& input) {
  BondsAndDividends result;
  const SparseMatrix bonds = stored_bonds(input.epoch, true);
  const bool has_consensus = std::any_of(input.consensus.begin(), input.consensus.end(),
                                         [](I32F32 value) { return value != I32F32::zero(); });
  result.bonds = input.epoch.parameters.liquid_alpha && has_consensus
                     ? follow_with_liquid_alpha(input, bonds)
                     : moving_average(input.weights, bonds,
                                      bonds_alpha(input.epoch.parameters.bonds_moving_average));
  SparseMatrix shares = result.bonds;
  col_normalize(shares, input.epoch.neurons());
  result.dividends = products(row_dots_wrapping(shares, input.incentive), input.active_stake);
  normalize(result.dividends);
  return result;
}

BondsAndDividends classic(const BondsInput& input) {
  BondsAndDividends result;
  const std::size_t neurons = input.epoch.neurons();
  SparseMatrix bonds = stored_bonds(input.epoch, false);
  col_normalize(bonds, neurons);
  SparseMatrix change = row_scaled(input.weights, input.active_stake);
  col_normalize(change, neurons);
  result.bonds =
      moving_average(change, bonds, bonds_alpha(input.epoch.parameters.bonds_moving_average));
  col_normalize(result.bonds, neurons);
  result.dividends = row_dots(result.bonds, input.incentive);
  normalize(result.dividends);
  col_max_upscale(result.bonds, neurons);
  return result;
}

}  // namespace

BondsAndDividends update_bonds(const BondsInput& input) {
  return input.epoch.parameters.yuma3 ? yuma3(input) : classic(input);
}

I32F32 bonds_alpha(std::uint64_t bonds_moving_average) {
  const I64F64 kept =
      safe_div(fixed_from<I64F64>(bonds_moving_average), fixed_from<I64F64>(1'000'000));
  return I32F32::one() - fixed_from<I32F32>(kept);
}

}  // namespace muster::chain
