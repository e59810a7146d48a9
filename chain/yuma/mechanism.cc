#include "chain/yuma/mechanism.h"

#include <algorithm>

#include "base/check.h"

namespace muster::chain {
namespace {

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

template <Integer T>
void accumulate(std::vector<T>& totals, const std::vector<T>& values, U64F64 weight) {
  for (std::size_t i = 0; i < totals.size(); ++i)
    totals[i] =
        integer_from<T>(fixed_from<U64F64>(totals[i]) + fixed_from<U64F64>(values[i]) * weight);
}

void add(std::vector<std::uint64_t>& totals, const std::vector<std::uint64_t>& values) {
  for (std::size_t i = 0; i < totals.size(); ++i) totals[i] = saturating_sum(totals[i], values[i]);
}

void join(std::vector<bool>& totals, const std::vector<bool>& values) {
  for (std::size_t i = 0; i < totals.size(); ++i) totals[i] = totals[i] || values[i];
}

EpochOutput empty_output(std::size_t neurons) {
  EpochOutput output;
  for (auto* parts : {&output.stake_weight, &output.consensus, &output.incentive, &output.dividends,
                      &output.validator_trust})
    parts->resize(neurons);
  for (auto* flags : {&output.active, &output.validator_permit}) flags->resize(neurons);
  for (auto* amounts :
       {&output.emission, &output.server_emission, &output.validator_emission, &output.stake})
    amounts->resize(neurons);
  return output;
}

}  // namespace

std::uint16_t mechanism_index(std::uint16_t netuid, std::uint8_t mechanism) {
  const std::uint32_t base =
      std::min<std::uint32_t>(std::uint32_t{mechanism} * kMechanismStride, 65535);
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(base + netuid, 65535));
}

std::vector<std::uint64_t> split_emission(std::uint64_t emission, std::uint8_t mechanisms,
                                          const std::optional<std::vector<std::uint16_t>>& split) {
  std::vector<std::uint64_t> parts(mechanisms);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!split) {
      parts[i] = emission / mechanisms;
    } else if (i < split->size()) {
      parts[i] = static_cast<std::uint64_t>(Uint128{emission} * (*split)[i] / 65535);
    }
    sum += parts[i];
  }
  if (!parts.empty() && emission > sum) parts[0] = saturating_sum(parts[0], emission - sum);
  return parts;
}

EpochOutput combine_mechanisms(std::span<const EpochOutput> outputs,
                               std::span<const std::uint64_t> emissions, std::uint64_t emission) {
  MUSTER_CHECK(!outputs.empty() && outputs.size() == emissions.size(), "an emission per output");
  EpochOutput total = empty_output(outputs[0].active.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const EpochOutput& output = outputs[i];
    MUSTER_CHECK(output.active.size() == total.active.size(), "equal numbers of neurons");
    // Without emission the first mechanism counts alone.
    const U64F64 weight =
        checked_div(fixed_from<U64F64>(emissions[i]), fixed_from<U64F64>(emission))
            .value_or(i == 0 ? U64F64::one() : U64F64::zero());
    accumulate(total.stake_weight, output.stake_weight, weight);
    accumulate(total.consensus, output.consensus, weight);
    accumulate(total.dividends, output.dividends, weight);
    accumulate(total.validator_trust, output.validator_trust, weight);
    accumulate(total.emission, output.emission, weight);
    if (i == 0) accumulate(total.incentive, output.incentive, weight);
    add(total.server_emission, output.server_emission);
    add(total.validator_emission, output.validator_emission);
    add(total.stake, output.stake);
    join(total.active, output.active);
    join(total.validator_permit, output.validator_permit);
  }
  return total;
}

}  // namespace muster::chain
