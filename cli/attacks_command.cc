#include "cli/attacks_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/attack_report.h"
#include "cli/attack_settings.h"
#include "cli/attack_store.h"
#include "cli/json_text.h"
#include "cli/lab_data.h"
#include "cli/units.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

// Harm is measured from a model that knows something: from scratch chance decides more than
// attackers do.
constexpr std::uint32_t kWarmSteps = 800, kWarmBatch = 16;

struct AttackOptions {
  std::string config = "examples/attacks.toml";
  std::string setting = "main";
  std::string store;    // folder for results; empty: they are not kept
  bool report = false;  // of what the store has, and nothing else
  std::string work;     // folder for the data
  std::vector<std::string> only, overrides;
  std::uint64_t seeds = 3, harm_seeds = 1, protocol_seeds = 3, first = 1;
  std::vector<std::uint32_t> shares{30};
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  std::string html, json;
  bool markdown = false;
  bool list = false;
};

void print_catalogue() {
  for (const AttackSetting& setting : attack_settings())
    std::printf("setting %-20s %s\n", std::string(setting.name).c_str(),
                std::string(setting.what).c_str());
  for (const sim::ProtocolAttack& attack : sim::protocol_attacks())
    std::printf("%-20s %s: %s\n", std::string(attack.name).c_str(),
                std::string(name_of(attack.role)).c_str(), std::string(attack.what).c_str());
  for (const sim::Attack& attack : sim::attacks()) {
    char work[16] = "a part";
    if (attack.work) std::snprintf(work, sizeof(work), "%3.0f %%", 100 * *attack.work);
    std::printf("%-20s does %s of the work: %s\n", std::string(attack.name).c_str(), work,
                std::string(attack.what).c_str());
  }
}

Result<std::vector<const sim::Attack*>> chosen_attacks(const std::vector<std::string>& names) {
  std::vector<const sim::Attack*> chosen;
  if (names.empty())
    for (const sim::Attack& attack : sim::attacks()) chosen.push_back(&attack);
  for (const std::string& name : names) {
    const sim::Attack* attack = sim::find_attack(name);
    if (attack == nullptr)
      return Error{Errc::kInvalidArgument,
                   "no attack '" + name + "'; `muster sim attacks --list` names them"};
    chosen.push_back(attack);
  }
  return chosen;
}

std::vector<std::uint64_t> seeds_from(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> seeds(count);
  std::iota(seeds.begin(), seeds.end(), first);
  return seeds;
}

// The data of the campaign, gone afterwards unless the user named the folder.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& named)
      : path_(named.empty()
                  ? fs::temp_directory_path() / ("muster-attacks-" + std::to_string(::getpid()))
                  : fs::path(named)),
        keep_(!named.empty()) {}
  ~WorkFolder() {
    std::error_code ignored;
    if (!keep_) fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool keep_;
};

class Progress {
 public:
  explicit Progress(std::size_t jobs) : jobs_(jobs), terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (terminal_ && done_ > 0) std::fprintf(stderr, "\n");
  }
  Progress(const Progress&) = delete;
  void finished(const std::string& name, const char* how = "") {
    const std::lock_guard lock(mutex_);
    ++done_;
    begun_.erase(name);
    say(name + how);
  }
  // Said once a minute, and once a second on a terminal.
  void round_done(const std::string& name, Round round, std::uint64_t rounds) {
    const std::lock_guard lock(mutex_);
    begun_[name] = static_cast<double>(round.value + 1) / static_cast<double>(rounds);
    if (clock_.now_ms() < said_ + (terminal_ ? 1'000 : 60'000)) return;
    say(name + ", round " + std::to_string(round.value + 1) + " of " + std::to_string(rounds));
  }

 private:
  void say(const std::string& what) {
    said_ = clock_.now_ms();
    double done = static_cast<double>(done_);
    for (const auto& [name, share] : begun_) done += share;
    const double left =
        static_cast<double>(said_ - start_) / 1000 / done * (static_cast<double>(jobs_) - done);
    std::fprintf(stderr, "%s%zu of %zu: %s, about %s left%s", terminal_ ? "\r" : "", done_, jobs_,
                 what.c_str(), human_seconds(left).c_str(), terminal_ ? "\033[K" : "\n");
  }

  SteadyClock clock_;
  TimeMs start_ = clock_.now_ms();
  std::mutex mutex_;
  std::size_t jobs_, done_ = 0;
  std::map<std::string, double> begun_;  // share of each lab that is under way
  TimeMs said_ = start_;
  bool terminal_;
};

bool contains(const std::vector<sim::Career>& careers, const sim::Attack* attack,
              const sim::CampaignJob& job) {
  return std::ranges::any_of(careers, [&](const sim::Career& career) {
    return career.attack == attack && career.percent == job.percent && career.seed == job.seed;
  });
}

// Runs labs and keeps what they find, each as soon as it has ended.
class LabRunner {
 public:
  LabRunner(const sim::CampaignConfig& config, const sim::LabModel& model, const AttackStore* store,
            std::size_t jobs, const std::atomic<bool>& stop)
      : config_(config), model_(model), store_(store), stop_(stop), progress_(jobs) {}

  Status run(sim::CampaignJob job) {
    if (store_ == nullptr) return run_lab(std::move(job), {});
    const std::string percent = job.percent == 0 ? "" : "-" + std::to_string(job.percent);
    const auto claimed = store_->claim("seed-" + std::to_string(job.seed) + percent);
    if (!claimed && claimed.error().code != Errc::kAlreadyExists) return claimed.error();
    if (!claimed) {
      progress_.finished(job.name, " (left to another process)");
      return {};
    }
    // Another process may have ended it since the jobs were listed.
    MUSTER_TRY(const auto kept, store_->read());
    if (job.percent == 0)
      std::erase_if(job.lab.attackers,
                    [&](const sim::Attack* attack) { return contains(kept.careers, attack, job); });
    if (contains(kept.careers, job.attack, job) && (job.percent > 0 || job.lab.attackers.empty())) {
      progress_.finished(job.name, " (found in the store)");
      return {};
    }
    return run_lab(std::move(job), kept.careers);
  }
  // Of labs that no store keeps.
  [[nodiscard]] std::vector<sim::Career> take_careers() { return std::move(careers_); }

 private:
  Status run_lab(sim::CampaignJob job, const std::vector<sim::Career>& known) {
    job.lab.round_done = [&](Round round) {
      progress_.round_done(job.name, round, job.lab.params.rounds);
    };
    MUSTER_TRY(const auto report, sim::run_lab(job.lab, model_, stop_));
    auto careers = sim::careers_of(config_, job, report);
    std::erase_if(careers,
                  [&](const sim::Career& career) { return contains(known, career.attack, job); });
    if (store_ != nullptr) {
      MUSTER_TRY_STATUS(store_->add(job.seed, careers));
    } else {
      const std::lock_guard lock(mutex_);
      careers_.insert(careers_.end(), careers.begin(), careers.end());
    }
    progress_.finished(job.name);
    return {};
  }

  const sim::CampaignConfig& config_;
  const sim::LabModel& model_;
  const AttackStore* store_;
  const std::atomic<bool>& stop_;
  Progress progress_;
  std::mutex mutex_;
  std::vector<sim::Career> careers_;
};

// Into the harm labs among the jobs.
Status add_starts(const std::filesystem::path& work, const RunConfig& config,
                  std::vector<sim::CampaignJob>& jobs) {
  std::map<std::uint64_t, std::shared_ptr<const std::vector<float>>> starts;
  for (sim::CampaignJob& job : jobs) {
    if (job.percent == 0) continue;
    auto& start = starts[job.seed];
    if (start == nullptr) {
      RunConfig of_seed = config;
      of_seed.params.model_seed = job.seed;
      MUSTER_TRY(auto theta, warm_start(work, of_seed, kWarmSteps, kWarmBatch));
      start = std::make_shared<const std::vector<float>>(std::move(theta));
    }
    job.lab.start = start;
  }
  return {};
}

Result<std::vector<sim::Career>> read_store(const AttackStore& store) {
  MUSTER_TRY(auto kept, store.read());
  for (const std::string& text : kept.left_out) std::fprintf(stderr, "%s\n", text.c_str());
  return std::move(kept.careers);
}

// All labs that the store lacks, or all.
Result<std::vector<sim::Career>> run_labs(const AttackOptions& options,
                                          sim::CampaignConfig& campaign, RunConfig config,
                                          const std::atomic<bool>& stop) {
  const WorkFolder work(options.work);
  MUSTER_TRY_STATUS(prepare_lab_data(work.path(), config, campaign.attacks));
  campaign.params = config.params;
  std::optional<AttackStore> store;
  std::vector<sim::Career> known;
  if (!options.store.empty()) {
    MUSTER_TRY(store, AttackStore::open(options.store, options.setting, sim::rules_of(campaign),
                                        config.params.data_root));
    MUSTER_TRY(known, read_store(*store));
  }
  auto jobs = sim::jobs_of(campaign, known);
  MUSTER_TRY_STATUS(add_starts(work.path(), config, jobs));
  const sim::LabModel model = lab_model(work.path(), config);
  LabRunner runner(campaign, model, store ? &*store : nullptr, jobs.size(), stop);
  MUSTER_TRY_STATUS(parallel_for(jobs.size(), options.jobs, [&] {
    return [&](std::size_t at) { return runner.run(std::move(jobs[at])); };
  }));
  return store ? read_store(*store) : runner.take_careers();
}

// What the store has, of any data; the campaign's seeds are those.
Result<std::vector<sim::Career>> stored_careers(const AttackOptions& options,
                                                sim::CampaignConfig& campaign) {
  if (options.store.empty())
    return Error{Errc::kInvalidArgument, "--report needs --store: it prints what that has"};
  MUSTER_TRY(const auto store,
             AttackStore::open(options.store, options.setting, sim::rules_of(campaign), Hash{}));
  MUSTER_TRY(auto careers, read_store(store));
  std::set<std::uint64_t> scored;
  std::map<std::uint32_t, std::set<std::uint64_t>> harm;
  for (const sim::Career& career : careers)
    (career.percent == 0 ? scored : harm[career.percent]).insert(career.seed);
  campaign.scored_seeds.assign(scored.begin(), scored.end());
  campaign.harm_seeds.clear();
  for (const auto& [percent, seeds] : harm)
    campaign.harm_seeds[percent].assign(seeds.begin(), seeds.end());
  return careers;
}

Status attack_content(const AttackOptions& options, AttackFindings& findings,
                      const std::atomic<bool>& stop) {
  MUSTER_TRY(const AttackSetting setting, attack_setting_named(options.setting));
  auto overrides = setting.overrides;
  overrides.insert(overrides.end(), options.overrides.begin(), options.overrides.end());
  MUSTER_TRY(const RunConfig config, read_run_config(options.config, overrides));
  if (config.params.rounds == 0)
    return Error{Errc::kInvalidArgument, "'run.rounds' must be at least 1 here"};
  sim::CampaignConfig campaign;
  MUSTER_TRY(campaign.attacks, chosen_attacks(options.only));
  campaign.params = config.params;
  campaign.scored_seeds = seeds_from(options.first, options.seeds);
  for (const std::uint32_t share : options.shares)
    if (options.harm_seeds > 0)
      campaign.harm_seeds[share] = seeds_from(options.first, options.harm_seeds);
  campaign.validators = setting.validators;
  campaign.measured_share = setting.measured_share;
  campaign.settled = std::min(setting.settled, config.params.rounds * 7 / 10);
  MUSTER_TRY(findings.careers, options.report ? stored_careers(options, campaign)
                                              : run_labs(options, campaign, config, stop));
  findings.content = sim::figures_of(campaign, findings.careers);
  return {};
}

Result<int> run(const AttackOptions& options, const std::string& command,
                const std::atomic<bool>& stop) {
  if (options.list) {
    print_catalogue();
    return 0;
  }
  AttackFindings findings;
  if (options.report || options.seeds + options.harm_seeds > 0)
    MUSTER_TRY_STATUS(attack_content(options, findings, stop));
  const auto seeds = seeds_from(options.first, options.report ? 0 : options.protocol_seeds);
  for (const sim::ProtocolAttack& attack : sim::protocol_attacks()) {
    if (stop) return Error{Errc::kCancelled, "stopped"};
    if (!seeds.empty() && options.only.empty())
      findings.protocol.push_back(sim::try_protocol_attack(attack, seeds));
  }
  std::printf("%s", attack_tables(findings, options.markdown).c_str());
  const auto missed = findings.missed();
  for (const std::string& text : missed) std::printf("MISSED  %s\n", text.c_str());
  if (!options.html.empty())
    MUSTER_TRY_STATUS(replace_file(options.html, bytes_of(attack_page(findings, command))));
  if (!options.json.empty())
    MUSTER_TRY_STATUS(
        replace_file(options.json, bytes_of(json_text(attack_json(findings), 1) + "\n")));
  return missed.empty() ? 0 : kExitChecksFailed;
}

std::string command_of(const AttackOptions& options) {
  std::string command = "muster sim attacks " + options.config + " --setting " + options.setting;
  if (options.report) return command + " --store " + options.store + " --report";
  command += " --seeds " + std::to_string(options.seeds) + " --harm-seeds " +
             std::to_string(options.harm_seeds) + " --protocol-seeds " +
             std::to_string(options.protocol_seeds);
  for (const std::uint32_t share : options.shares) command += " --share " + std::to_string(share);
  for (const std::string& name : options.only) command += " --only " + name;
  for (const std::string& text : options.overrides) command += " --set " + text;
  return command;
}

}  // namespace

void add_sim_attacks(Command sim) {
  const Command command = sim.add_command(
      "attacks", "Every attack on a small language model: found when, paid how much, at what harm");
  auto options = std::make_shared<AttackOptions>();
  command.add_option("config", options->config, "Model, data and rules (TOML)").show_default();
  command.add_option("--setting", options->setting, "What is measured in: a name that --list shows")
      .show_default();
  command.add_option("--store", options->store,
                     "Keep results in this folder, and measure only what it lacks");
  command.add_flag("--report", options->report,
                   "Print what the store has of the setting, and measure nothing");
  command.add_option("--only", options->only, "Only this attack on the content; may be repeated");
  command.add_option("--seeds", options->seeds, "Seeds for detection and pay").show_default();
  command.add_option("--harm-seeds", options->harm_seeds, "Seeds for the harm to the model")
      .show_default();
  command
      .add_option("--protocol-seeds", options->protocol_seeds,
                  "Networks per attack on the protocol")
      .show_default();
  command
      .add_option("--share", options->shares, "Percent of attackers for the harm; may be repeated")
      .in_range(1u, 90u)
      .show_default();
  command.add_option("--first", options->first, "First seed").show_default();
  command.add_option("--jobs", options->jobs, "Labs at a time").in_range(1u, 256u).show_default();
  command.add_option("--set", options->overrides, "Override a field: section.key=value");
  command.add_option("--work", options->work, "Keep the data in this folder and use it again");
  command.add_option("--html", options->html, "Also write plots to this file");
  command.add_option("--json", options->json, "Also write the figures to this file");
  command.add_flag("--markdown", options->markdown, "Print the table as Markdown");
  command.add_flag("--list", options->list, "Name the settings and the attacks, and leave");
  command.footer(
      "Examples: muster sim attacks --html attacks.html\n"
      "          muster sim attacks --seeds 20 --harm-seeds 3 --share 30\n"
      "          muster sim attacks --only lazy-50 --harm-seeds 0 --set verify.own_sequences=16\n"
      "          muster sim attacks --store docs/campaign --setting half-measured --seeds 3 "
      "--harm-seeds 0\n"
      "          muster sim attacks --store docs/campaign --report --markdown\n"
      "Exit code 3 when an attack pays or harms more than its target");
  command.action([options](const std::atomic<bool>& stop) {
    return run(*options, command_of(*options), stop);
  });
}

}  // namespace muster::cli
