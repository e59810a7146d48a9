// Cases of registration/1: burn prices, pruning, the cost and the pool of a new subnet.
#include <algorithm>

#include "chain/economy/burn_price.h"
#include "chain/economy/pruning.h"
#include "chain/economy/subnet_launch.h"
#include "tests/chain/vectors/demand.h"
#include "tests/chain/vectors/dispatch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

constexpr std::uint64_t kBlocksMax = 1'000'000;

BurnLimits limits_of(const json& test) { return {u64(test, "min_burn"), u64(test, "max_burn")}; }

Verdict decay_factor(const json& test) {
  Verdict verdict;
  verdict.equal("expected", u64(test, "expected"), burn_decay_factor(u16(test, "half_life")));
  return verdict;
}

Verdict decay(const json& test) {
  Verdict verdict;
  const BurnLimits limits = limits_of(test);
  const auto half_life = u16(test, "half_life");
  const auto first = u64(test, "first_block");
  std::map<std::uint64_t, std::uint64_t> expected;  // by number of blocks
  for (const auto& [blocks, burn] : member(test, "expected_after_blocks").items())
    expected[static_cast<std::uint64_t>(
        integer_within(json(blocks), "expected_after_blocks", 0, kBlocksMax))] =
        integer_of<std::uint64_t>(burn, "expected_after_blocks");
  auto burn = u64(test, "initial_burn");
  const auto factor = burn_decay_factor(half_life);
  std::uint64_t done = 0;
  for (const auto& [blocks, wanted] : expected) {
    for (; done < blocks; ++done)
      burn = done < 2 ? burn_after_block(burn, half_life, first + done, limits)
                      : burn_after_decay(burn, factor, limits);
    verdict.equal("expected_after_blocks." + std::to_string(blocks), wanted, burn);
  }
  return verdict;
}

Verdict sequence(const json& test) {
  Verdict verdict;
  const BurnLimits limits = limits_of(test);
  const auto multiplier = fixed_from_number<U64F64>(number(test, "multiplier"));
  auto burn = u64(test, "initial_burn");
  std::vector<std::uint64_t> got;
  for (const json& event : array_of(member(test, "events"), "events")) {
    const std::string& name = string_of(event, "events");
    if (name == "register") {
      burn = burn_after_registration(burn, multiplier, limits);
    } else if (name == "block") {
      burn = burn_after_block(burn, u16(test, "half_life"), 2, limits);
    } else {
      throw Malformed("field 'events' holds neither block nor register");
    }
    got.push_back(burn);
  }
  verdict.equal("expected", integers<std::uint64_t>(test, "expected"), got);
  return verdict;
}

void equal_choice(Verdict& verdict, const json& test, const char* name,
                  std::optional<std::uint16_t> got) {
  const json& expected = member(test, name);
  verdict.equal(name, expected.is_null() ? -1 : Int128{integer_of<std::uint16_t>(expected, name)},
                got ? Int128{*got} : -1);
}

Verdict prune_neuron(const json& test) {
  Verdict verdict;
  std::vector<PrunableNeuron> neurons;
  for (const json& neuron : array_of(member(test, "neurons"), "neurons"))
    neurons.push_back({u64(neuron, "emission"), u64(neuron, "registered_at")});
  for (const std::uint16_t uid : integers<std::uint16_t>(test, "immortal_uids"))
    if (uid < neurons.size()) neurons[uid].is_immortal = true;
  equal_choice(verdict, test, "expected_uid",
               neuron_to_prune(neurons, u64(test, "current_block"), u16(test, "immunity_period"),
                               u16(test, "min_non_immune_uids")));
  return verdict;
}

Verdict immune(const json& test) {
  Verdict verdict;
  verdict.equal("expected", flag(test, "expected"),
                is_immune(u64(test, "current_block"), u64(test, "registered_at"),
                          u16(test, "immunity_period")));
  return verdict;
}

Verdict prune_subnet(const json& test) {
  Verdict verdict;
  std::vector<PrunableSubnet> subnets;
  for (const json& subnet : array_of(member(test, "networks"), "networks"))
    subnets.push_back({u16(subnet, "netuid"), moving_price_of(number(subnet, "moving_price")),
                       u64(subnet, "registered_at")});
  equal_choice(
      verdict, test, "expected_netuid",
      subnet_to_prune(subnets, u64(test, "current_block"), u64(test, "network_immunity_period")));
  return verdict;
}

Verdict lock(const json& test) {
  Verdict verdict;
  const auto interval =
      lock_reduction_interval(u64(test, "lock_reduction_interval"), u64(test, "block_emission"));
  verdict.equal("effective_interval", u64(test, "effective_interval"), interval);
  verdict.equal("expected", u64(test, "expected"),
                lock_cost({u64(test, "last_lock"), u64(test, "last_lock_block")},
                          u64(test, "current_block"), interval, u64(test, "min_lock")));
  return verdict;
}

Verdict median(const json& test) {
  Verdict verdict;
  std::vector<U64F64> prices;
  for (const double price : numbers(test, "prices"))
    prices.push_back(fixed_from_number<U64F64>(price));
  verdict.near("expected", number(test, "expected"),
               std::ldexp(static_cast<double>(median_price(prices).bits), -64),
               number(test, "tolerance"));
  return verdict;
}

Verdict launch(const json& test) {
  Verdict verdict;
  const auto least = test.contains("min_lock") ? u64(test, "min_lock") : 0;
  const LaunchReserves got = launch_reserves(
      u64(test, "lock_cost"), least, fixed_from_number<U64F64>(number(test, "median_price")));
  const auto tolerance =
      test.contains("tolerance")
          ? static_cast<std::uint64_t>(std::max(0.0, std::min(number(test, "tolerance"), 1e6)))
          : 0;
  verdict.equal("expected_tao", u64(test, "expected_tao"), got.tao);
  verdict.near("expected_alpha", u64(test, "expected_alpha"), got.alpha, tolerance);
  return verdict;
}

}  // namespace

Verdict check_registration_case(const json& test) {
  static const Checks kChecks{{"burn_decay_factor_q32", decay_factor},
                              {"burn_decay", decay},
                              {"burn_sequence", sequence},
                              {"neuron_to_prune", prune_neuron},
                              {"neuron_is_immune", immune},
                              {"network_to_prune", prune_subnet},
                              {"network_lock_cost", lock},
                              {"median_subnet_alpha_price", median},
                              {"new_subnet_pool", launch}};
  return dispatch(kChecks, test, "fn");
}

}  // namespace muster::chain::vectors
