#include "cli/attacks_command.h"

#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/attack_report.h"
#include "cli/json_text.h"
#include "cli/lab_data.h"
#include "cli/units.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

// Harm is measured from a model that knows something: from scratch chance decides more than attackers do.
constexpr std::uint32_t kWarmSteps = 800, kWarmBatch = 16;

struct AttackOptions {
  std::string config = "examples/attacks.toml";
  std::string work;  // folder for the data
  std::vector<std::string> only, overrides;
  std::uint64_t seeds = 3, harm_seeds = 1, protocol_seeds = 3, first = 1;
  std::vector<std::uint32_t> shares{30};
  double measured = 1;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  std::string html, json;
  bool markdown = false;
  bool list = false;
};

void print_catalogue() {
  for (const sim::ProtocolAttack& attack : sim::protocol_attacks())
    std::printf("%-20s %s: %s\n", std::string(attack.name).c_str(), std::string(name_of(attack.role)).c_str(),
                std::string(attack.what).c_str());
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
      return Error{Errc::kInvalidArgument, "no attack '" + name + "'; `muster sim attacks --list` names them"};
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
      : path_(named.empty() ? fs::temp_directory_path() / ("muster-attacks-" + std::to_string(::getpid()))
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
  void finished(const std::string& name) {
    const std::lock_guard lock(mutex_);
    ++done_;
    const double seconds = static_cast<double>(clock_.now_ms() - start_) / 1000;
    const double left = seconds / static_cast<double>(done_) * static_cast<double>(jobs_ - done_);
    std::fprintf(stderr, "%s%zu of %zu: %s, about %s left%s", terminal_ ? "\r" : "", done_, jobs_, name.c_str(),
                 human_seconds(left).c_str(), terminal_ ? "\033[K" : "\n");
  }

 private:
  SteadyClock clock_;
  TimeMs start_ = clock_.now_ms();
  std::mutex mutex_;
  std::size_t jobs_, done_ = 0;
  bool terminal_;
};

Result<std::vector<sim::Career>> run_all(const sim::CampaignConfig& config, const std::vector<sim::CampaignJob>& jobs,
                                         const sim::LabModel& model, unsigned threads, const std::atomic<bool>& stop) {
  std::vector<std::vector<sim::Career>> found(jobs.size());
  Progress progress(jobs.size());
  const Status status = parallel_for(jobs.size(), threads, [&] {
    return [&](std::size_t at) -> Status {
      MUSTER_TRY(const auto report, sim::run_lab(jobs[at].lab, model, stop));
      found[at] = sim::careers_of(config, jobs[at], report);
      progress.finished(jobs[at].name);
      return {};
    };
  });
  if (!status) return status.error();
  std::vector<sim::Career> careers;
  for (const auto& of_job : found) careers.insert(careers.end(), of_job.begin(), of_job.end());
  return careers;
}

Status attack_content(const AttackOptions& options, AttackFindings& findings, const std::atomic<bool>& stop) {
  MUSTER_TRY(RunConfig config, read_run_config(options.config, options.overrides));
  if (config.params.rounds == 0) return Error{Errc::kInvalidArgument, "'run.rounds' must be at least 1 here"};
  sim::CampaignConfig campaign;
  MUSTER_TRY(campaign.attacks, chosen_attacks(options.only));
  campaign.scored_seeds = seeds_from(options.first, options.seeds);
  for (const std::uint32_t share : options.shares)
    if (options.harm_seeds > 0) campaign.harm_seeds[share] = seeds_from(options.first, options.harm_seeds);
  campaign.measured_share = options.measured;
  campaign.settled = std::min(campaign.settled, config.params.rounds / 2);
  const WorkFolder work(options.work);
  MUSTER_TRY_STATUS(prepare_lab_data(work.path(), config, campaign.attacks));
  campaign.params = config.params;
  auto jobs = sim::jobs_of(campaign);
  std::map<std::uint64_t, std::shared_ptr<const std::vector<float>>> starts;
  for (sim::CampaignJob& job : jobs) {
    if (job.percent == 0) continue;
    auto& start = starts[job.seed];
    if (start == nullptr) {
      RunConfig of_seed = config;
      of_seed.params.model_seed = job.seed;
      MUSTER_TRY(auto theta, warm_start(work.path(), of_seed, kWarmSteps, kWarmBatch));
      start = std::make_shared<const std::vector<float>>(std::move(theta));
    }
    job.lab.start = start;
  }
  MUSTER_TRY(findings.careers, run_all(campaign, jobs, lab_model(work.path(), config), options.jobs, stop));
  findings.content = sim::figures_of(campaign, findings.careers);
  return {};
}

Result<int> run(const AttackOptions& options, const std::string& command, const std::atomic<bool>& stop) {
  if (options.list) {
    print_catalogue();
    return 0;
  }
  AttackFindings findings;
  if (options.seeds + options.harm_seeds > 0) MUSTER_TRY_STATUS(attack_content(options, findings, stop));
  const auto seeds = seeds_from(options.first, options.protocol_seeds);
  for (const sim::ProtocolAttack& attack : sim::protocol_attacks()) {
    if (stop) return Error{Errc::kCancelled, "stopped"};
    if (!seeds.empty() && options.only.empty()) findings.protocol.push_back(sim::try_protocol_attack(attack, seeds));
  }
  std::printf("%s", attack_tables(findings, options.markdown).c_str());
  const auto missed = findings.missed();
  for (const std::string& text : missed) std::printf("MISSED  %s\n", text.c_str());
  if (!options.html.empty())
    MUSTER_TRY_STATUS(replace_file(options.html, bytes_of(attack_page(findings, command))));
  if (!options.json.empty())
    MUSTER_TRY_STATUS(replace_file(options.json, bytes_of(json_text(attack_json(findings), 1) + "\n")));
  return missed.empty() ? 0 : kExitChecksFailed;
}

std::string command_of(const AttackOptions& options) {
  std::string command = "muster sim attacks " + options.config + " --seeds " + std::to_string(options.seeds) +
                        " --harm-seeds " + std::to_string(options.harm_seeds) +
                        " --protocol-seeds " + std::to_string(options.protocol_seeds);
  for (const std::uint32_t share : options.shares) command += " --share " + std::to_string(share);
  for (const std::string& name : options.only) command += " --only " + name;
  for (const std::string& text : options.overrides) command += " --set " + text;
  return command;
}

}  // namespace

void add_sim_attacks(CLI::App& sim, Action& chosen) {
  auto* command = sim.add_subcommand("attacks", "Every attack on a small language model: found when, paid how much, at what harm");
  auto options = std::make_shared<AttackOptions>();
  command->add_option("config", options->config, "Model, data and rules (TOML)")->capture_default_str();
  command->add_option("--only", options->only, "Only this attack on the content; may be repeated");
  command->add_option("--seeds", options->seeds, "Seeds for detection and pay")->capture_default_str();
  command->add_option("--harm-seeds", options->harm_seeds, "Seeds for the harm to the model")->capture_default_str();
  command->add_option("--protocol-seeds", options->protocol_seeds, "Networks per attack on the protocol")->capture_default_str();
  command->add_option("--share", options->shares, "Percent of attackers for the harm; may be repeated")
      ->check(CLI::Range(1u, 90u))
      ->capture_default_str();
  command->add_option("--measured", options->measured, "Share of the miners that a validator has time to measure in a round")
      ->check(CLI::Range(0.001, 1.0))
      ->capture_default_str();
  command->add_option("--first", options->first, "First seed")->capture_default_str();
  command->add_option("--jobs", options->jobs, "Labs at a time")->check(CLI::Range(1u, 256u))->capture_default_str();
  command->add_option("--set", options->overrides, "Override a field: section.key=value");
  command->add_option("--work", options->work, "Keep the data in this folder and use it again");
  command->add_option("--html", options->html, "Also write plots to this file");
  command->add_option("--json", options->json, "Also write the figures to this file");
  command->add_flag("--markdown", options->markdown, "Print the table as Markdown");
  command->add_flag("--list", options->list, "Name the attacks and leave");
  command->footer("Examples: muster sim attacks --html attacks.html\n"
                  "          muster sim attacks --seeds 20 --harm-seeds 3 --share 30\n"
                  "          muster sim attacks --only lazy-50 --harm-seeds 0 --set verify.own_sequences=16\n"
                  "Exit code 3 when an attack pays or harms more than its target");
  command->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) { return run(*options, command_of(*options), stop); };
  });
}

}  // namespace muster::cli
