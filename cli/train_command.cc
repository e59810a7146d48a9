// muster train: a model on this machine alone, from a configuration to an exported folder.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/machine.h"
#include "cli/node_options.h"
#include "cli/same_model.h"
#include "cli/shared_sections.h"
#include "cli/train_config.h"
#include "cli/train_progress.h"
#include "cli/units.h"
#include "trainer/data/corpus.h"
#include "trainer/device.h"
#include "trainer/hf/hf_export.h"
#include "trainer/run/matmul_peak.h"
#include "trainer/run/memory_estimate.h"
#include "trainer/run/train_run.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr double kPeakSeconds = 0.2;

struct TrainOptions {
  std::string config = "examples/train.toml", to = "runs/train";
  std::vector<std::string> overrides;
  std::string from;  // a model to start from
  std::string device = "cpu";
  bool resume = false, json = false;
  std::string failpoint;
};

struct TrainData {
  trainer::DataSet train;
  std::optional<trainer::DataSet> held_out;
};

Result<TrainData> open_data(const TrainConfig& config, const fs::path& folder) {
  const state::ModelSpec& model = config.training.model;
  fs::path train = config.train, held_out = config.held_out;
  if (!config.corpus.empty()) {
    train = folder / "data/train.bin";
    held_out = folder / "data/held_out.bin";
    if (!fs::exists(train) || !fs::exists(held_out))
      MUSTER_TRY_STATUS(trainer::build_corpus(config.corpus, folder / "data", model.context));
  }
  MUSTER_TRY(auto train_set, trainer::DataSet::open(train, model.context, model.vocab));
  TrainData data{std::move(train_set), std::nullopt};
  if (!held_out.empty()) {
    MUSTER_TRY(data.held_out, trainer::DataSet::open(held_out, model.context, model.vocab,
                                                     trainer::kHeldOutSplit));
  }
  return data;
}

std::string root_of(std::span<const float> theta) { return sha256(bytes_of(theta)).hex(); }

class TrainCommand {
 public:
  TrainCommand(TrainOptions options, TrainConfig config)
      : options_(std::move(options)),
        config_(std::move(config)),
        folder_(options_.to),
        threads_(config_.threads == 0 ? core_count() : config_.threads),
        out_(options_.json ? stderr : stdout),
        progress_(out_, ::isatty(::fileno(out_)) != 0, config_.training.steps()) {}

  Result<int> run(const std::atomic<bool>& stop) {
    MUSTER_TRY_STATUS(check_folder());
    MUSTER_TRY(const trainer::DeviceChoice choice, device_named(options_.device));
    MUSTER_TRY(device_,
               trainer::open_device(choice, config_.training.model, compute_options(), threads_));
    MUSTER_TRY_STATUS(check_memory_of_cpu());
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) return Error{Errc::kIo, folder_.string() + ": " + error.message()};
    MUSTER_TRY(const FileHandle lock, lock_folder());
    MUSTER_TRY(const TrainData data, open_data(config_, folder_));
    MUSTER_TRY(std::vector<float> theta, initial_theta());
    const std::string start = options_.from.empty() ? "that of the seed" : root_of(theta);
    MUSTER_TRY(auto learner, trainer::Learner::make(device_.device,
                                                    {.spec = config_.training.model,
                                                     .sequences = config_.training.batch,
                                                     .compute = config_.compute,
                                                     .optimizer = config_.training.optimizer},
                                                    theta));
    std::vector<float>().swap(theta);  // the model has a copy
    trainer::RunSettings settings = make_settings(data.train, learner->compute_class());
    settings.binding.push_back({"the initial model", start});
    if (device_.card == nullptr) {
      Team team(threads_);
      settings.peak_flops = trainer::matmul_peak(team, stores_bf16_, kPeakSeconds, steady_seconds);
    }

    trainer::Training training(config_.training, std::move(learner), data.train);
    if (options_.resume) MUSTER_TRY_STATUS(go_on(training, settings));
    introduce(data, training);
    Failpoints failpoints(options_.failpoint);
    MUSTER_TRY(const auto outcome,
               trainer::run_training(training, data.held_out ? &*data.held_out : nullptr, settings,
                                     progress_, failpoints, stop));
    return conclude(training, outcome);
  }

 private:
  [[nodiscard]] trainer::ComputeOptions compute_options() const {
    return {.compute = config_.compute, .recompute = config_.recompute, .matmul = config_.matmul};
  }

  // Refuses what the machine has no memory for.
  Status check_memory_of_cpu() {
    if (device_.card != nullptr) return {};
    Team team(1);
    MUSTER_TRY(const auto llama,
               trainer::Llama::make(config_.training.model, compute_options(), team));
    stores_bf16_ = llama->stores_bf16();
    const auto estimate =
        trainer::estimate_memory(config_.training, config_.recompute, stores_bf16_);
    memory_bytes_ = estimate.total();
    return check_memory(estimate, available_memory());
  }

  Status check_folder() const {
    const auto steps = trainer::checkpoints_of(folder_).steps();
    if (!options_.resume && (!steps.empty() || fs::exists(folder_ / "losses.csv")))
      return Error{Errc::kAlreadyExists,
                   folder_.string() + " holds a training" +
                       (steps.empty() ? "" : " at step " + std::to_string(steps.back())) +
                       "; go on with --resume, or give another folder with --to"};
    return {};
  }

  // Held until the process ends, however it ends.
  Result<FileHandle> lock_folder() const {
    const fs::path path = folder_ / "lock";
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!file) return system_error(path, "open");
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
      return Error{Errc::kConflict, folder_.string() + ": another training is at work there"};
    return file;
  }

  trainer::RunSettings make_settings(const trainer::DataSet& data, const std::string& path) const {
    return {.folder = folder_,
            .binding = trainer::binding_settings(config_.training, data.root()),
            .noted = trainer::noted_settings(config_.training, path),
            .evaluate_every = config_.evaluate_every,
            .checkpoint_every = config_.checkpoint_every,
            .keep = config_.keep,
            .held_out_sequences = config_.held_out_sequences,
            .seconds = steady_seconds,
            .wall_s = wall_seconds};
  }

  Result<std::vector<float>> initial_theta() const {
    const state::ModelSpec& model = config_.training.model;
    if (!options_.from.empty()) {
      MUSTER_TRY(auto imported, trainer::import_hf(options_.from));
      MUSTER_TRY_STATUS(check_same_model(model, imported.model, options_.config, options_.from));
      return std::move(imported.parameters);
    }
    std::vector<float> theta(state::layout_of(model).parameters());
    state::initial_parameters(model, config_.training.seed, theta);
    return theta;
  }

  // From the newest checkpoint; a training that was cut off before its first one starts over.
  Status go_on(trainer::Training& training, const trainer::RunSettings& settings) {
    const auto checkpoints = trainer::checkpoints_of(folder_);
    if (checkpoints.steps().empty()) return {};
    MUSTER_TRY(const auto opened, checkpoints.open_newest(settings.binding, settings.noted));
    MUSTER_TRY_STATUS(training.restore(opened.file));
    for (const std::string& note : opened.notes) progress_.note(note);
    progress_.note("going on after step " + std::to_string(training.steps_done()));
    return {};
  }

  void introduce(const TrainData& data, trainer::Training& training) const {
    const auto& config = config_.training;
    const std::uint64_t done = training.steps_done(),
                        left = config.steps() > done ? config.steps() - done : 0;
    std::string where = training.learner().compute_class();
    if (device_.card == nullptr)
      where += " on " + std::to_string(threads_) + " threads, about " +
               human_bytes(static_cast<double>(memory_bytes_)) + " of memory";
    std::fprintf(
        out_,
        "%.2f M parameters, %s, %s; %llu sequences, %llu steps of %llu tokens (%.2f epochs)\n",
        static_cast<double>(state::layout_of(config.model).parameters()) / 1e6,
        trainer::name_of(config.optimizer.kind), where.c_str(),
        static_cast<unsigned long long>(data.train.sequences()),
        static_cast<unsigned long long>(left),
        static_cast<unsigned long long>(config.tokens_per_step()),
        static_cast<double>(config.steps() * config.sequences_per_step()) /
            static_cast<double>(data.train.sequences()));
    std::fflush(out_);
  }

  Result<int> conclude(trainer::Training& training, const trainer::RunOutcome& outcome) {
    if (!outcome.finished) {
      progress_.note("stopped after step " + std::to_string(outcome.steps) +
                     "; go on with: " + resuming_command());
      return kExitInterrupted;
    }
    const fs::path model = folder_ / "model";
    MUSTER_TRY(const auto theta, training.theta());
    MUSTER_TRY(const auto exported, trainer::export_hf(model, config_.training.model, theta,
                                                       {.tokenizer_folder = tokenizer_folder()}));
    if (exported.tokenizer == trainer::TokenizerSource::kNone)
      progress_.note(model.string() + " has no tokenizer: there is none beside the data");
    if (options_.json) {
      print_json(outcome, model);
      return 0;
    }
    std::printf(
        "%llu steps, %llu skipped, in %s; %llu checkpoints, waited for %.2f %% of the time\n",
        static_cast<unsigned long long>(outcome.steps),
        static_cast<unsigned long long>(outcome.skipped),
        human_seconds(outcome.speed.seconds).c_str(),
        static_cast<unsigned long long>(outcome.checkpoints), 100 * wait_share(outcome));
    std::printf("Next: muster generate %s \"#include <\"\n", model.c_str());
    return 0;
  }

  [[nodiscard]] std::string resuming_command() const {
    std::string command = "muster train " + options_.config + " --to " + options_.to + " --resume";
    if (!options_.from.empty()) command += " --from " + options_.from;
    if (options_.device != "cpu") command += " --device " + options_.device;
    for (const std::string& setting : options_.overrides) command += " --set '" + setting + "'";
    return command;
  }

  // Where the data's tokenizer lies, if anywhere.
  [[nodiscard]] fs::path tokenizer_folder() const {
    if (config_.train.empty()) return folder_;
    return fs::is_directory(config_.train) ? config_.train : config_.train.parent_path();
  }

  static double wait_share(const trainer::RunOutcome& outcome) {
    return outcome.speed.seconds > 0 ? outcome.speed.checkpoint_wait_s / outcome.speed.seconds : 0;
  }

  void print_json(const trainer::RunOutcome& outcome, const fs::path& model) const {
    nlohmann::ordered_json json{{"steps", outcome.steps},
                                {"tokens", outcome.tokens},
                                {"skipped", outcome.skipped},
                                {"loss", outcome.loss},
                                {"seconds", outcome.speed.seconds},
                                {"tokens_per_second", outcome.speed.tokens_per_second},
                                {"share_of_peak", outcome.speed.share_of_peak},
                                {"checkpoints", outcome.checkpoints},
                                {"checkpoint_wait_share", wait_share(outcome)},
                                {"model", model.string()}};
    if (outcome.held_out_loss) json["held_out_loss"] = *outcome.held_out_loss;
    std::printf("%s\n", json_text(json, 2).c_str());
  }

  TrainOptions options_;
  TrainConfig config_;
  fs::path folder_;
  unsigned threads_;
  trainer::OpenDevice device_;
  bool stores_bf16_ = false;        // on the CPU
  std::uint64_t memory_bytes_ = 0;  // that training on the CPU takes
  std::FILE* out_;
  TrainProgress progress_;
};

}  // namespace

void add_train(Command app) {
  const Command command = app.add_command("train", "Train a model on this machine alone");
  auto options = std::make_shared<TrainOptions>();
  command.add_option("config", options->config, "Configuration of the training").required();
  command.add_option("--to", options->to, "Folder for logs, checkpoints and the model")
      .show_default();
  command.add_option("--from", options->from, "Start from the weights of this Hugging Face folder");
  add_device_option(command, options->device);
  command.add_flag("--resume", options->resume,
                   "Go on from the newest whole checkpoint in the folder");
  command.add_option("--set", options->overrides, "Override a field: section.key=value");
  command.add_flag("--json", options->json, "The result as JSON; progress goes to standard error");
  command
      .add_option("--failpoint", options->failpoint,
                  "For crash tests: train.step or train.checkpoint, @N")
      .hide();
  command.footer(
      "Examples: muster train examples/train.toml --to runs/alone\n"
      "          muster train examples/train.toml --to runs/alone --resume --set train.steps=1200");
  command.action([options](const std::atomic<bool>& stop) -> Result<int> {
    MUSTER_TRY(TrainConfig config, read_train_config(options->config, options->overrides));
    return TrainCommand(*options, std::move(config)).run(stop);
  });
}

}  // namespace muster::cli
