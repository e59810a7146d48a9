#include "cli/attacks_command.h"

#include <cstdio>
#include <unistd.h>

#include "cli/lab_data.h"

namespace muster::cli {
namespace {
namespace fs = std::filesystem;

Result<int> run(const std::string& config_path, std::uint64_t seeds, const std::vector<std::string>& overrides, const std::atomic<bool>& stop) {
  MUSTER_TRY(RunConfig config, read_run_config(config_path, overrides));
  std::vector<const sim::Attack*> attacks;
  for (const auto& attack : sim::attacks()) attacks.push_back(&attack);
  const fs::path folder = fs::temp_directory_path() / "muster-attacks";
  fs::create_directories(folder);
  MUSTER_TRY_STATUS(prepare_lab_data(folder, config, attacks));
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    config.params.model_seed = seed;
    sim::LabConfig lab{config.params, 6, attacks, false, 1, 10};
    MUSTER_TRY(const auto report, sim::run_lab(lab, lab_model(folder, config), stop));
    for (const auto& [round, loss] : report.held_out) std::printf("%llu: %.3f  ", (unsigned long long)round, loss);
    std::printf("\nhonest refused %llu of %llu\n", (unsigned long long)report.honest_refused, (unsigned long long)report.honest_judged);
    for (const auto& miner : report.miners) {
      if (getenv("DETAIL") && (!miner.attack || miner.attack->name == getenv("DETAIL"))) {
        for (std::size_t i = 0; i < miner.rounds.size(); ++i) {
          const auto& o = miner.rounds[i];
          if (!miner.attack && o.evaluation.gate_passed) continue;
          std::printf("%s round %zu %s %s z %.2f drop %d gate %d mean %.2f lcb %.2f w %u pay %.2f\n", miner.attack ? "ATT" : "honest", i, std::string(name_of(o.verdict)).c_str(), std::string(name_of(o.evaluation.basis)).c_str(), o.evaluation.z_e2/100., o.evaluation.drop_e6, o.evaluation.gate_passed, o.mean, o.lower_bound, o.weight, o.pay);
        }
      }
      std::printf("%-12s", miner.attack ? std::string(miner.attack->name).c_str() : "honest");
      const std::size_t n = miner.rounds.size();
      for (std::size_t from = 0; from < n; from += 10) {
        double z = 0, gate = 0, pay = 0; int c = 0;
        for (std::size_t i = from; i < std::min(n, from + 10); ++i) {
          const auto& o = miner.rounds[i];
          z += o.evaluation.z_e2 / 100.0; gate += o.evaluation.gate_passed; pay += o.pay; ++c;
        }
        std::printf(" | z %5.2f g %.1f pay %.2f", z / c, gate / c, pay / c);
      }
      std::printf("\n");
    }
  }
  return 0;
}

}  // namespace

void add_sim_attacks(CLI::App& sim, Action& chosen) {
  auto* command = sim.add_subcommand("attacks", "Every attack on a small language model: found when, paid how much, at what harm");
  auto config = std::make_shared<std::string>("examples/attacks.toml");
  auto seeds = std::make_shared<std::uint64_t>(1);
  auto overrides = std::make_shared<std::vector<std::string>>();
  command->add_option("config", *config, "Population and model (TOML)")->capture_default_str();
  command->add_option("--seeds", *seeds, "How many");
  command->add_option("--set", *overrides, "Override a field: section.key=value");
  command->callback([=, &chosen] {
    chosen = [=](const std::atomic<bool>& stop) { return run(*config, *seeds, *overrides, stop); };
  });
}

}  // namespace muster::cli
