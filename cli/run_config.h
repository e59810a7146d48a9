// RunConfig: a run as its author writes it, in TOML; examples/quickstart.toml explains every field.
//
// Thread safety: values.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "chain/runtime/genesis.h"
#include "protocol/params.h"
#include "trainer/trainer.h"

namespace muster::cli {

struct LocalnetConfig {
  std::uint32_t miners = 4;
  std::vector<std::string> cheaters{"noise", "replay"};
  std::uint32_t validators = 2;
  std::uint16_t port = 27600;  // and the two after it
  std::uint32_t late = 0;  // of the honest miners: start when the network is in round late_round
  std::uint32_t late_round = 1;
  std::uint32_t ranks = 1;                                    // processes per miner
  double loss_max = std::numeric_limits<double>::infinity();  // held-out, at the end; above: failed
};

// When the coordinator writes checkpoints, and who is offered one.
struct CheckpointConfig {
  std::uint32_t every = 32;
  std::uint32_t offer_after = 100;
};

struct RunConfig {
  protocol::ProtocolParams params;  // without what only `init` knows: keys, data and model roots
  std::filesystem::path corpus;     // folder of headers; relative to the configuration file
  std::filesystem::path packed;     // or a packed folder, see trainer/data/manifest.h; likewise
  std::filesystem::path
      from;  // Hugging Face folder that the run starts from; empty: a model from the seed
  trainer::Compute compute = trainer::Compute::kAuto;
  std::uint32_t score_wait_ms = 10'000;
  CheckpointConfig checkpoint;
  chain::runtime::Genesis genesis;  // without owner and balances, which only `init` knows
  LocalnetConfig localnet;
  // All that was written, as "section.key" and text, and "--from"; what was not written has its
  // default.
  std::map<std::string, std::string> settings;
  bool has_ledger = false;  // a [ledger] section was written
};

// How long, in thousandths of a tempo, a validator's weights count after it has set them: eight
// rounds of the longest kind (gathering, training, revealing and screening until their deadlines),
// at least three tempos, since weights are set in every second one, and at most Subtensor's default
// of 13.889 tempos. So the weights of a validator that is away go out of force after a bounded
// time.
[[nodiscard]] std::uint32_t activity_cutoff_milli(const protocol::TimingParams& timing,
                                                  std::uint32_t block_ms, std::uint16_t tempo);

// `overrides`: "section.key=value" each. `from`: a Hugging Face folder whose model is the run's;
// what [model] says must agree with it. Errors: kNotFound; kInvalidArgument and kMalformed, naming
// file and line, or the override, and what is wrong; those of trainer::read_hf_model.
[[nodiscard]] Result<RunConfig> read_run_config(const std::filesystem::path& path,
                                                const std::vector<std::string>& overrides,
                                                const std::filesystem::path& from = {});

}  // namespace muster::cli
