// The ledger at work: blocks without an epoch, and an economy of eight subnets over a million
// blocks.
//
//   bench/run.sh economy [--json FILE] -- [--blocks N]
//
// One core. The economy's people act as in `muster sim economy`; its blocks are not hashed.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "chain/runtime/block_step.h"
#include "sim/economy/economy.h"

namespace muster {
namespace {

using nlohmann::ordered_json;

constexpr std::uint32_t kSubnets = 8, kMiners = 55, kValidators = 8;  // 64 uids with the creator's
constexpr double kMillion = 1e6;

sim::Scenario eight_subnets(std::uint64_t blocks) {
  sim::Scenario scenario;
  scenario.days = static_cast<double>(blocks) / chain::kBlocksPerDay;
  scenario.sample_days = std::min(1.0, scenario.days);
  for (std::uint32_t i = 0; i < kSubnets; ++i) {
    auto& plan = scenario.subnets.emplace_back();
    plan.name = "subnet " + std::to_string(i);
    plan.miners = kMiners;
    plan.validators = kValidators;
    plan.pool_tao = 50'000;
    plan.usage = {{0, 100.0 * i}};
  }
  return scenario;
}

ordered_json target(const std::string& name, double measured, double at_most) {
  std::printf("%-64s %10.3f  %s\n", name.c_str(), measured, measured <= at_most ? "met" : "MISSED");
  return {{"target", name}, {"measured", measured}, {"met", measured <= at_most}};
}

// Of a block's step, per subnet, in µs.
double step_without_epochs(std::uint64_t blocks) {
  sim::Scenario scenario = eight_subnets(blocks);
  for (auto& plan : scenario.subnets) plan.tempo = 50'400;  // none is due
  chain::runtime::State state = sim::Economy(scenario).state();
  chain::runtime::Events events;
  const double time = bench::seconds(
      [&] {
        for (std::uint64_t i = 0; i < blocks; ++i) {
          events.clear();
          step_block(state, events, {}, Hash{});
        }
      },
      1);
  return time / static_cast<double>(blocks) / kSubnets * 1e6;
}

int run(std::uint64_t blocks, const std::string& json) {
  ordered_json report{
      {"blocks", blocks}, {"subnets", kSubnets}, {"uids", kMiners + kValidators + 1}};
  const double step = step_without_epochs(std::min<std::uint64_t>(blocks, 20'000));
  const double whole = bench::seconds(
      [&] { MUSTER_CHECK(!sim::run_economy(eight_subnets(blocks)).samples.empty(), "no samples"); },
      1);
  const double per_million = whole / static_cast<double>(blocks) * kMillion;
  report["blocks_per_s"] = static_cast<double>(blocks) / whole;
  std::printf("%llu blocks of %u subnets with 64 uids: %.2f s\n\n",
              static_cast<unsigned long long>(blocks), kSubnets, whole);
  std::printf("%-64s %10s\n", "target", "measured");
  report["targets"].push_back(target("a block without epochs, µs per subnet: under 2", step, 2));
  report["targets"].push_back(target("1 M blocks of the economy, s: under 60", per_million, 60));
  if (!json.empty()) std::ofstream(json) << report.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  std::uint64_t blocks = muster::bench::small() ? 500 : 1'000'000;
  std::string json;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc || (name != "--blocks" && name != "--json")) {
      std::fprintf(stderr, "usage: bench_economy [--blocks N] [--json FILE]\n");
      return 2;
    }
    if (name == "--json")
      json = argv[i + 1];
    else
      blocks = std::max<std::uint64_t>(100, std::strtoull(argv[i + 1], nullptr, 10));
  }
  return muster::run(blocks, json);
}
