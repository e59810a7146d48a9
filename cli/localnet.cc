// `muster localnet`: a whole network on this machine, every node a process of its own.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/clock.h"
#include "base/file.h"
#include "base/key.h"
#include "base/lock_file.h"
#include "base/printable.h"
#include "cli/audit_run.h"
#include "cli/commands.h"
#include "cli/conducts.h"
#include "cli/event_log.h"
#include "cli/json_text.h"
#include "cli/localnet_members.h"
#include "cli/machine.h"
#include "cli/node_options.h"
#include "cli/process.h"
#include "cli/run_report.h"
#include "cli/units.h"
#include "protocol/assignment.h"
#include "trainer/hf/hf_export.h"
#include "verify/rating.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

struct LocalnetOptions {
  std::string config = "examples/quickstart.toml";
  std::string run = "runs/quickstart";
  std::string from;
  std::vector<std::string> overrides;
  std::vector<std::string> cheaters;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> failpoints;  // NODE=ROLE.ACTION.before|after[@N]
  bool restart_killed = false;
  bool fresh = false;
  bool compare = false;
};

// Miners yield to validators and coordinator, whom everybody waits for.
constexpr int kMinerNice = 10;
constexpr TimeMs kNodesEndMs = 10'000;
constexpr double kMemoryMinBytes = 3e9;

class Localnet {
 public:
  Localnet(LocalnetOptions options, RunConfig config)
      : options_(std::move(options)), config_(std::move(config)), folder_{options_.run} {}

  Result<int> run(const std::atomic<bool>& stop) {
    MUSTER_TRY_STATUS(prepare());
    MUSTER_TRY_STATUS(start_nodes(stop));
    MUSTER_TRY_STATUS(watch(stop));
    MUSTER_TRY(const auto metagraph, ledger_->metagraph());
    end_all();
    return conclude(metagraph, stop);
  }

 private:
  std::vector<std::string> miner_names() const {
    std::vector<std::string> names;
    for (std::uint32_t i = 1; i <= config_.localnet.miners; ++i)
      names.push_back("miner-" + std::to_string(i));
    return names;
  }

  // Folder, keys and parameters; a run that was cut off goes on.
  Status prepare() {
    if (static_cast<double>(available_memory()) < kMemoryMinBytes)
      return Error{Errc::kNoSpace,
                   "under 3 GB of memory are free; close something, or train a "
                   "smaller network with --set localnet.miners=2"};
    MUSTER_TRY_STATUS(take_folder());
    if (options_.fresh) {
      std::error_code error;
      for (const char* part : {"nodes", "keys", "blobs", "payloads", "data"})
        fs::remove_all(folder_.root / part, error);
      for (const char* part :
           {"run.muster", "genesis.muster", "settings.txt", "archive.muster", "initial.safetensors",
            "report.json", "config.json", "model.safetensors", "tokenizer.json"})
        fs::remove(folder_.root / part, error);
    }
    if (fs::exists(folder_.root / "report.json"))
      return Error{Errc::kAlreadyExists, folder_.root.string() +
                                             " holds a finished run; start over with --fresh, or "
                                             "give another folder with --run"};
    MUSTER_TRY_STATUS(identify_members());
    if (!fs::exists(folder_.params_file())) {
      std::printf("preparing %s\n", folder_.root.c_str());
      FirstMembers first;
      for (const auto& [name, key] : keys_)
        (name.starts_with("validator-") ? first.validators : first.hotkeys)
            .push_back(key.public_key());
      MUSTER_TRY_STATUS(init_run(folder_, config_, first));
    } else {
      MUSTER_TRY(const auto changed, changed_setting(folder_, config_));
      if (changed)
        return Error{Errc::kConflict,
                     folder_.root.string() + ": " + *changed +
                         "; go on with the same settings, start over with --fresh, or give another "
                         "folder with --run"};
      std::printf("resuming %s (--fresh starts over)\n", folder_.root.c_str());
    }
    MUSTER_TRY(params_, read_params(folder_));
    std::printf("run %s: %llu parameters, %llu sequences, %u rounds\n",
                protocol::run_id_of(params_).brief().c_str(),
                static_cast<unsigned long long>(state::layout_of(params_.model).parameters()),
                static_cast<unsigned long long>(params_.sequences), params_.rounds);
    return {};
  }

  // Nobody else's network lives in the folder, and none of the nodes of an earlier one.
  Status take_folder() {
    std::error_code error;
    fs::create_directories(folder_.root, error);
    if (error) return Error{Errc::kIo, folder_.root.string() + ": " + error.message()};
    MUSTER_TRY(lock_, LockFile::take(folder_.root / kLockFile,
                                     "muster localnet, process " + std::to_string(::getpid())));
    const SteadyClock clock;
    // Nodes end with the localnet that started them, which may just have been killed.
    for (const TimeMs deadline = clock.now_ms() + kNodesEndMs;; ::poll(nullptr, 0, 100)) {
      std::string living;
      for (const auto& node : fs::directory_iterator(folder_.root / "nodes", error))
        if (const auto holder = LockFile::holder(node.path() / kLockFile)) living = *holder;
      if (living.empty()) return {};
      if (clock.now_ms() > deadline)
        return Error{Errc::kAlreadyExists,
                     folder_.root.string() + ": a network lives here (" + living +
                         "); end it first, or give another folder with --run"};
    }
  }

  Status identify_members() {
    auto member = [&](const std::string& name, const std::string& behaviour) -> Status {
      MUSTER_TRY(const SigningKey key, ensure_key(folder_, name));
      keys_.emplace(name, key);
      if (behaviour != "validator") miners_.push_back({name, behaviour, key.public_key()});
      return {};
    };
    for (const std::string& name : miner_names()) MUSTER_TRY_STATUS(member(name, "honest"));
    std::map<std::string, int> count;
    for (const std::string& cheat : config_.localnet.cheaters)
      MUSTER_TRY_STATUS(member(cheat + "-" + std::to_string(++count[cheat]), cheat));
    for (std::uint32_t i = 1; i <= config_.localnet.validators; ++i)
      MUSTER_TRY_STATUS(member("validator-" + std::to_string(i), "validator"));
    return {};
  }

  [[nodiscard]] std::string address(int offset) const {
    return "tcp://127.0.0.1:" + std::to_string(config_.localnet.port + offset);
  }

  // Starts a node, with its failpoint if it has one; after that has killed it, it is started again
  // without.
  Status start(const std::string& name, std::vector<std::string> arguments, int nice) {
    std::error_code error;
    fs::create_directories(folder_.node(name), error);
    if (error) return Error{Errc::kIo, folder_.node(name).string() + ": " + error.message()};
    for (const auto& [flag, value] :
         std::vector<std::pair<std::string, std::string>>{{"--run", folder_.root.string()},
                                                          {"--name", name},
                                                          {"--ledger", address(0)},
                                                          {"--control", address(1)},
                                                          {"--blobs", address(2)}})
      arguments.insert(arguments.end(), {flag, value});
    commands_[name] = {arguments, nice};
    for (const std::string& failpoint : options_.failpoints)
      if (failpoint.starts_with(name + "="))
        arguments.insert(arguments.end(), {"--failpoint", failpoint.substr(name.size() + 1)});
    MUSTER_TRY(Process process,
               Process::start(name, arguments, folder_.node(name) / "output.log", nice));
    followers_.emplace(name, EventFollower(folder_.node(name) / "events.jsonl"));
    processes_.push_back(std::move(process));
    return {};
  }

  // True when `process` died at its failpoint and runs again.
  Result<bool> restart_after_failpoint(Process& process, int code) {
    const bool killed = code == 128 + SIGKILL;
    const bool had_one = std::any_of(
        options_.failpoints.begin(), options_.failpoints.end(),
        [&](const std::string& failpoint) { return failpoint.starts_with(process.name() + "="); });
    if (!killed || !(had_one || options_.restart_killed)) return false;
    std::printf("%s %s and is started again\n", process.name().c_str(),
                had_one ? "died at its failpoint" : "was killed");
    const auto& [arguments, nice] = commands_[process.name()];
    MUSTER_TRY(Process again, Process::start(process.name(), arguments,
                                             folder_.node(process.name()) / "output.log", nice));
    process = std::move(again);
    return true;
  }

  Status start_nodes(const std::atomic<bool>& stop) {
    MUSTER_TRY_STATUS(start("ledger", {"ledger", "serve"}, 0));
    MUSTER_TRY_STATUS(register_members(stop));
    MUSTER_TRY_STATUS(start(
        "coordinator",
        {"coordinator", "--start-miners", std::to_string(miners_.size() - config_.localnet.late),
         "--start-validators", std::to_string(config_.localnet.validators), "--checkpoint-every",
         std::to_string(config_.checkpoint.every), "--offer-after",
         std::to_string(config_.checkpoint.offer_after)},
        0));
    for (std::uint32_t i = 1; i <= config_.localnet.validators; ++i) {
      std::vector<std::string> arguments{"validator", "--score-wait-ms",
                                         std::to_string(config_.score_wait_ms)};
      if (i == 1) arguments.push_back("--held-out");
      MUSTER_TRY_STATUS(start("validator-" + std::to_string(i), arguments, 0));
    }
    for (std::size_t i = 0; i < miners_.size(); ++i)
      if (!is_late(i)) MUSTER_TRY_STATUS(start_miner(miners_[i]));
    late_started_ = config_.localnet.late == 0;
    std::printf("started ledger, coordinator, %u validators, %zu miners (%zu of them cheat)\n",
                config_.localnet.validators, miners_.size(), config_.localnet.cheaters.size());
    return {};
  }

  Status start_miner(const MinerIdentity& miner) {
    return start(
        miner.name,
        {"miner", "--conduct", miner.behaviour, "--ranks", std::to_string(config_.localnet.ranks)},
        kMinerNice);
  }

  // The last of the honest ones, who stand before the cheaters.
  [[nodiscard]] bool is_late(std::size_t index) const {
    return index < config_.localnet.miners &&
           index >= config_.localnet.miners - config_.localnet.late;
  }

  Status start_late() {
    if (late_started_ || report_->rounds_seen() <= config_.localnet.late_round) return {};
    late_started_ = true;
    for (std::size_t i = 0; i < miners_.size(); ++i)
      if (is_late(i)) MUSTER_TRY_STATUS(start_miner(miners_[i]));
    std::printf("started the %u late miners\n", config_.localnet.late);
    return {};
  }

  // Everybody who is not on the ledger yet registers.
  Status register_members(const std::atomic<bool>& stop) {
    MUSTER_TRY(const SigningKey ledger_key, read_key_file(folder_.key_file("ledger")));
    const auto ended = [this]() -> Status {
      const auto code = processes_[0].poll();
      return code ? Status(node_failed(processes_[0], *code)) : Status();
    };
    MUSTER_TRY(ledger_, muster::cli::register_members(
                            {context_, address(0), ledger_key.public_key(), params_.netuid}, keys_,
                            ended, stop));
    return {};
  }

  Error node_failed(const Process& process, int code) const {
    std::string last, line;
    std::ifstream output(folder_.node(process.name()) / "output.log");
    while (std::getline(output, line))
      if (!line.empty()) last = line;
    return {Errc::kIo, process.name() + " ended with code " + std::to_string(code) + ": " +
                           (last.empty() ? "see " + folder_.node(process.name()).string() : last)};
  }

  // Shows a line per round until every node but the ledger has ended.
  Status watch(const std::atomic<bool>& stop) {
    const SteadyClock clock;
    const TimeMs started = clock.now_ms();
    std::printf("%s\n", RunReport::header().c_str());
    report_.emplace(miners_);
    for (bool running = true; running;) {
      if (stop) {
        std::printf("\nstopping all nodes; run the same command again to resume\n");
        end_all();
        return Error{Errc::kCancelled, "stopped"};
      }
      running = false;
      for (Process& process : processes_) {
        peak_bytes_ = std::max(peak_bytes_, process.peak_resident_bytes());
        const auto code = process.poll();
        if (code && *code != 0) {
          MUSTER_TRY(const bool restarted, restart_after_failpoint(process, *code));
          running = running || restarted;
          if (restarted) continue;
          read_events();
          const Error error = node_failed(process, *code);
          end_all();
          return error;
        }
        if (!code && process.name() != "ledger") running = true;
      }
      read_events();
      MUSTER_TRY_STATUS(start_late());
      if (running) say_what_is_waited_for();
      ::poll(nullptr, 0, 100);
    }
    wall_s_ = static_cast<double>(clock.now_ms() - started) / 1000;
    return {};
  }

  // Once all rounds are done: nodes go on until the last ratings are paid by.
  void say_what_is_waited_for() {
    if (said_waiting_ || params_.rounds == 0 || report_->rounds_done() < params_.rounds) return;
    said_waiting_ = true;
    const auto& genesis = config_.genesis;
    const double epoch_s = genesis.subnets.front().parameters.tempo * (genesis.block_ms / 1000.0);
    std::printf(
        "all %u rounds are done; validators end when the last weights are in force and paid by, "
        "three epochs "
        "from now: about %s (ledger.tempo × ledger.block_ms)\n",
        params_.rounds, human_seconds(3 * epoch_s).c_str());
  }

  void read_events() {
    for (auto& [name, follower] : followers_)
      for (const auto& event : follower.read_new()) report_->take(name, event);
    for (const std::string& line : report_->new_lines(params_.rounds))
      std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  void end_all() {
    for (Process& process : processes_) process.terminate();
    for (Process& process : processes_) process.wait(10'000);
  }

  // One miner alone, and synchronous data-parallel training, on as many steps as the network's
  // miners.
  Status compare(nlohmann::ordered_json& report) {
    MUSTER_TRY(const auto theta, initial_theta(folder_, params_));
    auto config = trainer_config(folder_, params_, config_.compute);
    const protocol::SequencePermutation order(protocol::run_id_of(params_), 0, params_.sequences);
    const std::uint64_t steps = std::uint64_t{params_.rounds} * params_.training.inner_steps;
    auto train = [&](std::uint32_t batch) -> Result<double> {
      config.batch = batch;
      std::vector<std::uint64_t> sequences;
      for (std::uint64_t i = 0; i < steps * batch; ++i) sequences.push_back(order.at(i));
      auto show = [&](std::uint32_t step, double loss) {
        if (::isatty(STDOUT_FILENO) != 0 && step % 16 == 0)
          std::printf("\rcomparing: %u sequences a step, %u of %llu steps, loss %.3f ", batch,
                      step + 1, static_cast<unsigned long long>(steps), loss);
        std::fflush(stdout);
      };
      MUSTER_TRY(const auto trained, trainer::train_alone(config, theta, sequences, show));
      MUSTER_TRY(auto probe, trainer::make_loss_probe(config, trained));
      return probe->held_out_loss();
    };
    std::printf("training one miner alone, and data-parallel, for comparison\n");
    MUSTER_TRY(const double alone, train(params_.training.batch));
    MUSTER_TRY(const double parallel, train(params_.training.batch * config_.localnet.miners));
    std::printf("\n");
    report["loss_alone"] = alone;
    report["loss_data_parallel"] = parallel;
    return {};
  }

  Result<int> conclude(const protocol::Metagraph& metagraph, const std::atomic<bool>& stop) {
    MUSTER_TRY(const AuditedRun audited, audit_run(folder_, stop));
    MUSTER_TRY_STATUS(trainer::export_hf(folder_.root, params_.model, audited.theta,
                                         {.tokenizer_folder = folder_.data()}));
    auto report = report_->summary(metagraph, audited.theta.size());
    report["rounds"] = audited.report.rounds;
    report["wall_s"] = wall_s_;
    report["peak_resident_bytes"] = peak_bytes_;
    report["audit_ok"] = audited.report.ok();
    if (options_.compare) MUSTER_TRY_STATUS(compare(report));
    const auto failures = failures_of(report, audited);
    report["failures"] = failures;
    MUSTER_TRY_STATUS(
        replace_file(folder_.root / "report.json", bytes_of(json_text(report, 2) + "\n")));
    print(report);
    for (const std::string& remark : remarks_of(report)) std::printf("%s\n", remark.c_str());
    for (const std::string& failure : failures)
      std::printf("FAILED: %s\n", printable(failure).c_str());
    return failures.empty() ? 0 : kExitChecksFailed;
  }

  [[nodiscard]] std::vector<std::string> failures_of(const nlohmann::ordered_json& report,
                                                     const AuditedRun& audited) const {
    std::vector<std::string> failures = report_->state_root_conflicts();
    for (const std::string& dispute : report_->disputes()) failures.push_back(dispute);
    for (const auto& finding : audited.report.findings)
      failures.push_back("audit: " + describe(finding));
    if (params_.rounds != 0 && audited.report.rounds < params_.rounds)
      failures.push_back("the archive ends after " + std::to_string(audited.report.rounds) +
                         " of " + std::to_string(params_.rounds) + " rounds");
    if (const double loss = report["loss_last"].get<double>();
        !(loss > 0 && loss < config_.localnet.loss_max))
      failures.push_back("the held-out loss is " + std::to_string(loss) +
                         ", not below localnet.loss_max");
    for (const auto& miner : report["miners"]) {
      const bool honest = miner["behaviour"] == "honest";
      const bool paid = miner.value("weight", 0) > 0;
      if (honest && !paid && miner.value("evaluations", 0U) < verify::kEvaluationsBeforePay)
        continue;  // a remark
      if (honest != paid)
        failures.push_back(
            miner["name"].get<std::string>() +
            (honest ? ", an honest miner, holds no weight" : ", a cheater, holds weight"));
    }
    if (report.contains("loss_alone") &&
        !(report["loss_last"].get<double>() < report["loss_alone"].get<double>()))
      failures.push_back("the network is not better than one miner alone");
    return failures;
  }

  // What a short run cannot show.
  [[nodiscard]] static std::vector<std::string> remarks_of(const nlohmann::ordered_json& report) {
    std::vector<std::string> remarks;
    for (const auto& miner : report["miners"]) {
      const unsigned evaluations = miner.value("evaluations", 0U);
      if (miner["behaviour"] != "honest" || miner.value("weight", 0) > 0 ||
          evaluations >= verify::kEvaluationsBeforePay)
        continue;
      remarks.push_back(miner["name"].get<std::string>() +
                        " holds no weight yet: it was evaluated " + std::to_string(evaluations) +
                        " times, and weights need four evaluations and an epoch of the "
                        "ledger; more rounds (run.rounds) bring them");
    }
    return remarks;
  }

  void print(const nlohmann::ordered_json& report) const {
    std::printf("\n%-12s %4s  %-10s %7s %8s %12s %9s %9s\n", "miner", "uid", "did", "score",
                "weight", "alpha earned", "accepted", "rejected");
    for (const auto& miner : report["miners"])
      std::printf("%-12s %4d  %-10s %7.2f %8d %12.3f %9lld %9lld\n",
                  miner["name"].get<std::string>().c_str(), miner.value("uid", -1),
                  miner["behaviour"].get<std::string>().c_str(), miner.value("score", 0.0),
                  miner.value("weight", 0), miner.value("earned", 0.0),
                  miner.value("rounds_accepted", 0ll), miner.value("rounds_rejected", 0ll));
    std::printf("\nheld-out loss %.4f -> %.4f nats per byte in %.1f s",
                report["loss_first"].get<double>(), report["loss_last"].get<double>(), wall_s_);
    std::printf("; overhead %.2f s per round (median)\n",
                report["overhead_s_per_round"].get<double>());
    if (report.contains("loss_alone")) {
      const double network = report["loss_last"].get<double>();
      const double alone = report["loss_alone"].get<double>();
      const double parallel = report["loss_data_parallel"].get<double>();
      std::printf("one miner alone, as many of its own steps: %.4f; the network is %.4f better\n",
                  alone, alone - network);
      std::printf("synchronous data-parallel training: %.4f; the network is %.4f behind\n",
                  parallel, network - parallel);
    }
    std::printf("audit: %s; state roots %s\n", report["audit_ok"].get<bool>() ? "ok" : "FAILED",
                report["state_roots_agree"].get<bool>() ? "agree on every node" : "DIFFER");
    std::printf("\nNext: muster generate %s \"#include <\"\n      muster audit %s\n",
                folder_.root.c_str(), folder_.root.c_str());
  }

  LocalnetOptions options_;
  RunConfig config_;
  RunFolder folder_;
  protocol::ProtocolParams params_;
  std::map<std::string, SigningKey> keys_;
  std::vector<MinerIdentity> miners_;
  wire::ZmqContext context_;
  std::unique_ptr<chain::RemoteLedger> ledger_;
  std::map<std::string, EventFollower> followers_;
  std::map<std::string, std::pair<std::vector<std::string>, int>> commands_;  // arguments and nice
  std::optional<RunReport> report_;
  std::optional<LockFile> lock_;
  bool late_started_ = false;
  bool said_waiting_ = false;
  double wall_s_ = 0;
  std::uint64_t peak_bytes_ = 0;
  std::vector<Process> processes_;  // last: ended first
};

// A configuration without [ledger] gives a real subnet's blocks and epochs, of which three take
// hours; a network on one machine has those of examples/quickstart.toml.
void take_short_epochs(RunConfig& config) {
  config.genesis.block_ms = 200;
  auto& parameters = config.genesis.subnets.front().parameters;
  parameters.tempo = 10;
  parameters.weights_rate_limit_blocks = 1;
  parameters.activity_cutoff_factor_milli =
      activity_cutoff_milli(config.params.timing, config.genesis.block_ms, parameters.tempo);
}

Result<int> run_localnet(const LocalnetOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(RunConfig config, read_run_config(options.config, options.overrides, options.from));
  if (options.seed) {
    config.params.model_seed = *options.seed;
    config.settings["run.seed"] = std::to_string(*options.seed);
  }
  for (const std::string& cheat : options.cheaters) {
    config.localnet.cheaters.push_back(cheat);
    config.settings["--cheaters"] += " " + cheat;
  }
  if (!config.has_ledger) take_short_epochs(config);
  return Localnet(options, std::move(config)).run(stop);
}

}  // namespace

void add_localnet(Command app) {
  const Command command =
      app.add_command("localnet", "A whole network on this machine, with cheaters");
  auto options = std::make_shared<LocalnetOptions>();
  command.add_option("config", options->config, "Configuration of the run").show_default();
  command.add_option("--run", options->run, "Folder of the run").show_default();
  command.add_option("--from", options->from,
                     "Start from this Hugging Face folder's model instead of a new one");
  command.add_option("--set", options->overrides, "Override a field: section.key=value");
  command.add_option("--seed", options->seed, "Other initial model, keys and data order");
  command
      .add_option("--cheaters", options->cheaters,
                  "One cheater more; `muster sim attacks --list` says what each does")
      .one_of(cheater_names());
  command.add_flag("--restart-killed", options->restart_killed,
                   "Start a node again that is killed (kill -9) while the network runs");
  command.add_option("--failpoint", options->failpoints,
                     "For crash tests: NODE=ROLE.ACTION.before|after[@N] kills that node once");
  command.add_flag("--fresh", options->fresh, "Delete what an earlier run left in the folder");
  command.add_flag("--compare", options->compare,
                   "Also train one miner alone, and data-parallel, and compare");
  command.footer(
      "Examples: muster localnet examples/quickstart.toml\n"
      "          muster localnet --seed 2 --run runs/two --compare\n"
      "          muster localnet --cheaters wrong-data --set run.rounds=32");
  command.action([options](const std::atomic<bool>& stop) { return run_localnet(*options, stop); });
}

}  // namespace muster::cli
