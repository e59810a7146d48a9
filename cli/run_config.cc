#include "cli/run_config.h"

#include <algorithm>
#include <set>

#include "cli/same_model.h"
#include "cli/shared_sections.h"
#include "trainer/hf/hf_import.h"

namespace muster::cli {
namespace {

Result<compression::ValueFormat> value_format(const std::string& name) {
  auto format = compression::value_format_named(name);
  if (!format) return std::move(format).error().within("a value format");
  return format;
}

// [[rounds, keep], …]
Result<std::vector<protocol::DensityStage>> density_stages(
    const std::vector<std::vector<std::int64_t>>& rows) {
  std::vector<protocol::DensityStage> stages;
  for (const auto& row : rows) {
    if (row[0] < 1 || row[0] > 1'000'000 || row[1] < 1 || row[1] > 4096)
      return Error{Errc::kInvalidArgument,
                   "'compression.schedule' needs rounds of at least 1 and keep from 1 to 4096"};
    stages.push_back({static_cast<std::uint32_t>(row[0]), static_cast<std::uint32_t>(row[1])});
  }
  return stages;
}

// A chain with one subnet, the run's.
Status read_ledger(TomlSection section, const protocol::TimingParams& timing,
                   chain::runtime::Genesis& genesis) {
  genesis.subnets.resize(1);
  auto& subnet = genesis.subnets.front();
  subnet.first_permits = true;
  subnet.rules.fixed = true;
  auto& cutoff = subnet.parameters.activity_cutoff_factor_milli;
  cutoff = 0;
  MUSTER_TRY_STATUS(
      section.field("name", genesis.name)
          .field("netuid", subnet.netuid)
          .field("block_ms", genesis.block_ms)
          .field("tempo", subnet.parameters.tempo)
          .field("uids_max", subnet.parameters.uids_max)
          .field("validators_max", subnet.parameters.validators_max)
          .field("weights_rate_limit_blocks", subnet.parameters.weights_rate_limit_blocks)
          .field("immunity_period", subnet.parameters.immunity_period)
          .field("activity_cutoff_milli", subnet.parameters.activity_cutoff_factor_milli)
          .field("stake_threshold", genesis.network.stake_threshold)
          .field("recycle_unearned", subnet.rules.recycle_unearned)
          .field("commit_deposit_rao", subnet.rules.commit_deposit_rao)
          .field("registration_rao", subnet.burn_rao)
          .field("pool_tao_rao", subnet.tao_reserve)
          .field("pool_alpha_rao", subnet.alpha_reserve)
          .finish());
  if (cutoff == 0)
    cutoff = activity_cutoff_milli(timing, genesis.block_ms, subnet.parameters.tempo);
  return {};
}

Status read_sections(const TomlFile& toml, RunConfig& config) {
  const std::string file = toml.path().string();
  auto& p = config.params;
  std::string corpus, packed;
  std::vector<std::vector<std::int64_t>> schedule;
  auto section = [&](const char* name) { return toml.section(name); };
  MUSTER_TRY_STATUS(section("run")
                        .field("name", p.name)
                        .field("rounds", p.rounds)
                        .field("seed", p.model_seed)
                        .finish());
  MUSTER_TRY_STATUS(section("data").field("corpus", corpus).field("packed", packed).finish());
  MUSTER_TRY_STATUS(read_model(section("model"), p.model));
  auto& training = p.training;
  auto optimizer = trainer::OptimizerKind::kAdamW;
  auto train = section("train");
  MUSTER_TRY_STATUS(
      read_train(train,
                 TrainFields<float, std::uint32_t>{
                     training.batch, training.learning_rate, training.warmup_steps,
                     training.cosine_to, training.beta1, training.beta2, training.weight_decay,
                     training.decay_vectors, training.gradient_clip})
          .field("inner_steps", training.inner_steps)
          .parsed<trainer::OptimizerKind>("optimizer", optimizer, optimizer_named)
          .parsed<trainer::Compute>("compute", config.compute, compute_named)
          .finish());
  training.optimizer = optimizer == trainer::OptimizerKind::kMuon
                           ? protocol::InnerOptimizer::kMuon
                           : protocol::InnerOptimizer::kAdamW;
  MUSTER_TRY_STATUS(
      section("compression")
          .rows("schedule", 2, schedule)
          .field("error_feedback_decay", p.compression.error_feedback_decay)
          .parsed<compression::ValueFormat>("values", p.compression.values, value_format)
          .parsed<compression::ValueFormat>("downlink_values", p.compression.downlink_values,
                                            value_format)
          .field("downlink_factor", p.compression.downlink_factor)
          .field("downlink_decay", p.compression.downlink_decay)
          .field("outer_learning_rate", p.compression.outer_learning_rate)
          .finish());
  MUSTER_TRY_STATUS(section("verify")
                        .field("screen_sequences", p.verification.screen_sequences)
                        .field("own_sequences", p.verification.own_sequences)
                        .field("shared_sequences", p.verification.shared_sequences)
                        .field("probe_step", p.verification.probe_step)
                        .field("cosine_gate", p.verification.cosine_gate)
                        .field("drop_gate", p.verification.drop_gate)
                        .field("replay_cosine", p.verification.replay_cosine)
                        .field("sequences_min", p.verification.sequences_min)
                        .field("norm_min", p.verification.norm_min)
                        .field("unscreened_rounds_max", p.verification.unscreened_rounds_max)
                        .field("sealed_rounds", p.verification.sealed_rounds)
                        .field("score_wait_ms", config.score_wait_ms)
                        .finish());
  MUSTER_TRY_STATUS(section("timing")
                        .field("gather_ms", p.timing.gather_ms)
                        .field("train_ms", p.timing.train_ms)
                        .field("reveal_ms", p.timing.reveal_ms)
                        .field("screen_ms", p.timing.screen_ms)
                        .field("grace_min_ms", p.timing.grace_min_ms)
                        .field("grace_max_ms", p.timing.grace_max_ms)
                        .field("pause_ms", p.timing.pause_ms)
                        .field("pause_max_ms", p.timing.pause_max_ms)
                        .field("quorum_percent", p.timing.quorum_percent)
                        .field("miners_min", p.timing.miners_min)
                        .finish());
  MUSTER_TRY_STATUS(read_ledger(section("ledger"), p.timing, config.genesis));
  MUSTER_TRY_STATUS(section("localnet")
                        .field("miners", config.localnet.miners)
                        .field("cheaters", config.localnet.cheaters)
                        .field("validators", config.localnet.validators)
                        .field("port", config.localnet.port)
                        .field("late", config.localnet.late)
                        .field("late_round", config.localnet.late_round)
                        .field("ranks", config.localnet.ranks)
                        .field("loss_max", config.localnet.loss_max)
                        .finish());
  MUSTER_TRY_STATUS(section("checkpoint")
                        .field("every", config.checkpoint.every)
                        .field("offer_after", config.checkpoint.offer_after)
                        .finish());
  if (auto stages = density_stages(schedule); !stages)
    return std::move(stages).error().within(file);
  else if (!stages->empty())
    p.compression.schedule = *stages;
  // A network that has no validators on purpose waits for none.
  if (config.localnet.validators == 0) p.verification.unscreened_rounds_max = 0;
  if (config.localnet.late > config.localnet.miners)
    return Error{Errc::kInvalidArgument, file + ": localnet.late is more than localnet.miners"};
  if (config.localnet.ranks < 1 || config.localnet.ranks > p.training.batch)
    return Error{Errc::kInvalidArgument, file + ": localnet.ranks must be 1 to train.batch, " +
                                             std::to_string(p.training.batch) +
                                             ": ranks share a batch's sequences"};
  if (config.localnet.miners == 0)
    return Error{Errc::kInvalidArgument,
                 file + ": localnet.miners is 0: a network needs an honest miner"};
  const std::size_t first =
      config.localnet.miners - config.localnet.late + config.localnet.cheaters.size();
  if (first < std::max<std::size_t>(p.timing.miners_min, 1))
    return Error{Errc::kInvalidArgument,
                 file + ": of localnet.miners, all but " + std::to_string(first) +
                     " start late, and no round opens before there are timing.miners_min, " +
                     std::to_string(p.timing.miners_min)};
  config.has_ledger = section("ledger").exists();
  p.netuid = config.genesis.subnets.front().netuid;
  if (!packed.empty()) config.packed = std::filesystem::path(file).parent_path() / packed;
  if (!corpus.empty()) config.corpus = std::filesystem::path(file).parent_path() / corpus;
  return {};
}

}  // namespace

std::uint32_t activity_cutoff_milli(const protocol::TimingParams& timing, std::uint32_t block_ms,
                                    std::uint16_t tempo) {
  constexpr std::uint64_t kRounds = 8, kTemposMin = 3;
  const std::uint64_t longest = chain::runtime::SubnetParameters().activity_cutoff_factor_milli;
  const std::uint64_t round_ms =
      std::uint64_t{timing.gather_ms} + timing.train_ms + timing.reveal_ms + timing.screen_ms;
  const std::uint64_t tempo_ms = std::max<std::uint64_t>(1, std::uint64_t{block_ms} * tempo);
  return static_cast<std::uint32_t>(
      std::clamp(kRounds * round_ms * 1'000 / tempo_ms, kTemposMin * 1'000, longest));
}

Result<RunConfig> read_run_config(const std::filesystem::path& path,
                                  const std::vector<std::string>& overrides,
                                  const std::filesystem::path& from) {
  MUSTER_TRY(const TomlFile toml, TomlFile::read(path, overrides));
  MUSTER_TRY_STATUS(toml.check_sections({"run", "data", "model", "train", "compression", "verify",
                                         "timing", "ledger", "checkpoint", "localnet"}));
  RunConfig config;
  config.from = from;
  config.settings = toml.settings();
  if (!from.empty()) config.settings["--from"] = from.string();
  if (from.empty()) {
    MUSTER_TRY_STATUS(read_sections(toml, config));
    return config;
  }
  MUSTER_TRY(const state::ModelSpec imported, trainer::read_hf_model(from));
  config.params.model = imported;
  MUSTER_TRY_STATUS(read_sections(toml, config));
  MUSTER_TRY_STATUS(check_same_model(config.params.model, imported, path.string(), from.string()));
  return config;
}

}  // namespace muster::cli
