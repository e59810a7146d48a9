#include "cli/ranks.h"

#include <csignal>

#include "cli/commands.h"
#include "cli/process.h"

namespace muster::cli {
namespace {

class ChildRank final : public trainer::RankProcess {
 public:
  ChildRank(Process process, std::filesystem::path output)
      : process_(std::move(process)), output_(std::move(output)) {}
  // It has nothing to save: what counts is in the miner's state.
  ~ChildRank() override { process_.wait(0); }

  std::optional<std::string> ended() override {
    const auto code = process_.poll();
    if (!code) return std::nullopt;
    if (*code > 128) {
      const int signal = *code - 128;
      return "was killed by signal " + std::to_string(signal) +
             (signal == SIGKILL ? " (out of memory, perhaps)" : "");
    }
    return "ended with code " + std::to_string(*code) + " (" + output_.string() + " may say why)";
  }
  int pid() const override { return process_.pid(); }

 private:
  Process process_;
  std::filesystem::path output_;
};

struct SeatOptions {
  std::string run, name;
  ComputeChoice compute;
  bool shard_parameters = false;
  trainer::RankSeat seat;
  std::string meeting;
};

std::vector<std::string> arguments_of(const NodeOptions& options, const ComputeChoice& compute,
                                      const RankChoice& ranks, const trainer::RankSeat& seat) {
  std::vector<std::string> arguments{"rank",
                                     "--run",
                                     options.run,
                                     "--name",
                                     options.name,
                                     "--device",
                                     ranks.gpus > 0 ? "cuda" : compute.device,
                                     "--compute",
                                     compute.compute,
                                     "--matmul",
                                     compute.matmul,
                                     "--threads",
                                     std::to_string(compute.threads),
                                     "--rank",
                                     std::to_string(seat.rank),
                                     "--of",
                                     std::to_string(seat.size),
                                     "--meeting",
                                     seat.meeting.string(),
                                     "--channel",
                                     std::to_string(seat.channel),
                                     "--theta",
                                     std::to_string(seat.theta)};
  if (compute.recompute) arguments.push_back("--recompute");
  if (ranks.shard_parameters) arguments.push_back("--shard-parameters");
  return arguments;
}

void add_shard_option(Command command, bool& shard_parameters) {
  command.add_flag("--shard-parameters", shard_parameters,
                   "Each rank keeps only its part of the parameters, and fetches the others' layer "
                   "by layer: less "
                   "memory, more traffic");
}

Result<int> be_rank(const SeatOptions& options) {
  // Its miner's end is its own, at once: it has nothing to put in order.
  ::signal(SIGTERM, SIG_DFL);
  const RunFolder folder{options.run};
  MUSTER_TRY(const auto params, read_params(folder));
  auto config = trainer_config(folder, params, trainer::Compute::kAuto);
  MUSTER_TRY_STATUS(set_compute(options.compute, config));
  config.shards_parameters = options.shard_parameters;
  trainer::RankSeat seat = options.seat;
  seat.meeting = options.meeting;
  MUSTER_TRY_STATUS(trainer::run_rank(config, seat));
  return 0;
}

}  // namespace

void add_rank_options(Command command, RankChoice& choice) {
  const Option gpus =
      command
          .add_option(
              "--gpus", choice.gpus,
              "Train on so many graphics cards, a process each: short for --device cuda --ranks N")
          .in_range(1u, 64u);
  command
      .add_option("--ranks", choice.ranks,
                  "Processes that share each batch, e.g. one per NUMA node; at most train.batch")
      .in_range(1u, 64u)
      .excludes(gpus);
  add_shard_option(command, choice.shard_parameters);
}

Status set_ranks(const RankChoice& choice, trainer::TrainerConfig& config) {
  if (choice.gpus > 0) config.device = trainer::DeviceChoice::kCuda;
  config.shards_parameters = choice.shard_parameters;
  if (choice.shard_parameters && choice.count() == 1)
    return Error{Errc::kInvalidArgument,
                 "--shard-parameters needs several ranks: add --gpus N or --ranks N"};
  return {};
}

Result<std::unique_ptr<protocol::InnerLoop>> make_ranked_loop(
    const NodeOptions& options, const ComputeChoice& compute, const RankChoice& ranks,
    const trainer::TrainerConfig& config, std::span<const float> theta, const NodeBase& node) {
  const auto start =
      [=, home = node.home](
          const trainer::RankSeat& seat) -> Result<std::unique_ptr<trainer::RankProcess>> {
    const std::string name = "rank-" + std::to_string(seat.rank);
    const auto output = home / (name + ".log");
    MUSTER_TRY(auto process, Process::start(name, arguments_of(options, compute, ranks, seat),
                                            output, 0, {seat.channel, seat.theta}));
    return std::unique_ptr<trainer::RankProcess>(
        std::make_unique<ChildRank>(std::move(process), output));
  };
  return trainer::make_sharded_inner_loop(
      config, theta,
      {.size = ranks.count(),
       .folder = node.home / "ranks",
       .start = start,
       .note = [logger = node.logger](const std::string& text) mutable { logger.info(text); }});
}

void add_rank(Command app) {
  const Command command = app.add_command("rank", "One process of a miner; started by it");
  command.hide();
  auto options = std::make_shared<SeatOptions>();
  command.add_option("--run", options->run).required();
  command.add_option("--name", options->name).required();
  add_compute_options(command, options->compute);
  add_shard_option(command, options->shard_parameters);
  command.add_option("--rank", options->seat.rank).required();
  command.add_option("--of", options->seat.size).required();
  command.add_option("--meeting", options->meeting).required();
  command.add_option("--channel", options->seat.channel).required();
  command.add_option("--theta", options->seat.theta).required();
  command.action([options](const std::atomic<bool>&) { return be_rank(*options); });
}

}  // namespace muster::cli
