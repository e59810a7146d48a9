// The ledger's mathematics: Yuma epochs of a full subnet, and what a block costs per subnet that
// has no epoch.
//
//   bench/run.sh chain [--json FILE] -- [--neurons N] [--validators N] [--reps N]
//
// Every validator weighs every neuron. One core; times are the best of the repetitions.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "base/prng.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "chain/economy/block_emission.h"
#include "chain/economy/burn_price.h"
#include "chain/economy/emission_shares.h"
#include "chain/economy/injection.h"
#include "chain/economy/moving_price.h"
#include "chain/economy/pool.h"
#include "chain/economy/schedule.h"
#include "chain/yuma/epoch.h"

namespace muster {
namespace {

using namespace chain;
using bench::seconds;
using nlohmann::ordered_json;

struct Options {
  std::size_t neurons = 256;
  std::size_t validators = 64;
  int reps = bench::small() ? 1 : 50;
  std::string json;
};

// A state as epochs leave it: the second epoch's, with bonds.
EpochInput full_subnet(const Options& options, bool yuma3, bool liquid) {
  Prng random(1);
  EpochInput input;
  input.parameters.yuma3 = yuma3;
  input.parameters.liquid_alpha = liquid;
  input.parameters.validators_max = static_cast<std::uint16_t>(options.validators);
  input.parameters.tao_weight = 3320413933267719290u;
  input.block = 1000;
  input.last_step_block = 640;
  input.emission = 295'200'000'000;
  for (std::size_t i = 0; i < options.neurons; ++i) {
    const bool is_validator = i < options.validators;
    input.alpha_stake.push_back(
        is_validator ? 1'000'000'000'000 + random.below(1'000'000'000'000'000) : 0);
    input.root_stake.push_back(is_validator ? random.below(1'000'000'000'000'000) : 0);
    input.block_at_registration.push_back(1);
    input.last_update.push_back(900);
    input.validator_permit.push_back(is_validator);
    for (std::size_t j = 0; is_validator && j < options.neurons; ++j)
      input.weights.append(static_cast<std::uint16_t>(j),
                           static_cast<std::uint16_t>(1 + random.below(65535)));
    input.weights.close_row();
    input.bonds.close_row();
  }
  input.bonds = run_epoch(input).bonds;
  return input;
}

struct Subnet {
  Pool pool;
  I96F32 moving_price = I96F32::from_bits(Int128{1} << 27);
  std::uint64_t alpha_out = 1'000'000'000'000'000;
  std::uint64_t burn = 1'000'000'000;
  EpochClock clock;
};

// All that a block does to a subnet whose epoch is not due, in the order in which it does it.
std::uint64_t run_block(std::vector<Subnet>& subnets, std::uint64_t block) {
  const U96F32 weight = fraction_of_u64(3320413933267719290u);
  const U96F32 cut = fraction_of_u16(11796);
  const std::uint64_t decay = burn_decay_factor(360);
  std::vector<SubnetDemand> demand;
  std::vector<U64F64> prices;
  for (Subnet& subnet : subnets) {
    subnet.burn = burn_after_decay(subnet.burn, decay, {});
    prices.push_back(fixed_from<U64F64>(subnet.moving_price));
    demand.push_back({prices.back(), U96F32::zero(), true});
  }
  const bool pays_root = root_alpha_is_paid(prices);
  const auto shares = enabled_shares(emission_shares(demand), demand);
  const auto emission = fixed_from<U96F32>(block_emission(11'000'000'000'000'000));
  std::uint64_t paid = 0;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    Subnet& subnet = subnets[i];
    const auto issuance = [&] { return subnet.pool.alpha_reserve + subnet.alpha_out; };
    const InjectionTerms terms =
        injection_terms(emission_for_share(emission, shares[i]), price_of(subnet.pool), issuance(),
                        root_proportion(6'000'000'000'000'000, weight, issuance()));
    if (const auto pool = with_injection(subnet.pool, integer_from<std::uint64_t>(terms.tao_in),
                                         integer_from<std::uint64_t>(terms.alpha_in)))
      subnet.pool = *pool;
    SwapOrder buy;
    buy.amount = integer_from<std::uint64_t>(terms.excess_tao);
    buy.limit_price = price_from_limit(kPriceLimitMax);
    const auto bought = quote_swap(subnet.pool, buy);
    if (const Swap* swap = std::get_if<Swap>(&bought))
      subnet.pool = after_swap(subnet.pool, Side::kBuy, *swap);
    const AlphaOutSplit split = split_alpha_out(
        terms.alpha_out, cut, root_proportion(6'000'000'000'000'000, weight, issuance()));
    paid += split.server + split.validator + split.owner_cut + (pays_root ? split.root_alpha : 0);
    paid += is_epoch_due(subnet.clock, block) ? 1 : 0;
    subnet.moving_price = next_moving_price(subnet.moving_price, price_of(subnet.pool),
                                            I96F32::from_bits(12885), block, 201'600);
  }
  return paid;
}

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  ordered_json run() {
    const std::string size = std::to_string(options_.neurons) + " neurons, " +
                             std::to_string(options_.validators) + " validators";
    std::printf("%-68s %8s\n", "target", "measured");
    target("Yuma3 epoch, " + size + ", ms: under 2", epoch_ms(true, false), 2);
    target("classic epoch, " + size + ", ms: under 2", epoch_ms(false, false), 2);
    target("Yuma3 epoch with liquid alpha, " + size + ", ms: under 5", epoch_ms(true, true), 5);
    target("block without epochs, its purchases included, us per subnet: under 2", block_us(), 2);
    return report_;
  }

 private:
  double epoch_ms(bool yuma3, bool liquid) {
    const EpochInput input = full_subnet(options_, yuma3, liquid);
    std::uint64_t paid = 0;
    const double time = seconds([&] { paid = run_epoch(input).emission[0]; }, options_.reps);
    MUSTER_CHECK(paid > 0, "an epoch that pays its first validator");
    return time * 1e3;
  }

  double block_us() {
    std::vector<Subnet> subnets(128);
    for (Subnet& subnet : subnets) {
      subnet.pool = {1'000'000'000'000'000,
                     3'000'000'000'000};  // cheap, so that TAO is left to buy alpha with
      subnet.clock.last_epoch_block = 100'000;
    }
    std::uint64_t block = 100'000;
    std::uint64_t paid = run_block(subnets, block);
    MUSTER_CHECK(subnets[0].pool.quote_weight != kWeightHalf, "weights that are not equal");
    const double time = seconds([&] { paid += run_block(subnets, ++block); }, options_.reps);
    MUSTER_CHECK(paid > 0, "blocks that pay");
    return time * 1e6 / static_cast<double>(subnets.size());
  }

  void target(const std::string& name, double measured, double most) {
    const bool met = measured < most;
    std::printf("%-68s %8.3f  %s\n", name.c_str(), measured, met ? "met" : "MISSED");
    report_["targets"].push_back({{"target", name}, {"measured", measured}, {"met", met}});
  }

  Options options_;
  ordered_json report_;
};

int usage(const std::string& problem) {
  std::fprintf(stderr,
               "bench_chain: %s\nusage: bench_chain [--json FILE] [--neurons N] [--validators N] "
               "[--reps N]\n",
               problem.c_str());
  return 2;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  using namespace muster;
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return usage(name + " needs a value");
    const auto number = static_cast<std::size_t>(std::clamp(std::atoi(argv[i + 1]), 1, 4096));
    if (name == "--json")
      options.json = argv[i + 1];
    else if (name == "--neurons")
      options.neurons = number;
    else if (name == "--validators")
      options.validators = number;
    else if (name == "--reps")
      options.reps = static_cast<int>(number);
    else
      return usage("unknown option " + name);
  }
  options.validators = std::min(options.validators, options.neurons);
  const auto report = Bench(options).run();
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1) << "\n";
  return 0;
}
