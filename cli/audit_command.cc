// audit: re-verifies a run from its folder or bundle; audit export: writes the bundle.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "cli/audit_probe.h"
#include "cli/audit_run.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/machine.h"
#include "cli/receipts.h"
#include "store/bundle_export.h"
#include "store/file_blob_store.h"
#include "verify/rescore.h"
#include "verify/score_audit.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr double kProgressSeconds = 0.25;

unsigned long long number(std::uint64_t value) { return value; }

// A line on the terminal that says how far long work is; nothing elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(const char* doing) : doing_(doing) {}
  ~ProgressLine() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void show(std::uint64_t rounds, std::uint64_t total) {
    if (!terminal_ || steady_seconds() < next_) return;
    next_ = steady_seconds() + kProgressSeconds;
    shown_ = true;
    std::fprintf(stderr, "\r%s: %llu of %llu rounds ", doing_, number(rounds), number(total));
  }

 private:
  const char* doing_;
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  double next_ = steady_seconds() + kProgressSeconds;
};

// ---- audit

void print(const verify::AuditReport& report, std::uint32_t rounds_planned) {
  std::printf("%llu messages, %llu rounds sealed%s (%llu of them without an aggregate)\n",
              number(report.messages), number(report.rounds),
              rounds_planned == 0 ? "" : (" of " + std::to_string(rounds_planned)).c_str(),
              number(report.null_rounds));
  if (report.first_round > Round{0})
    std::printf(
        "records begin with round %llu: the coordinator's folder was rebuilt then, and what was "
        "before is not "
        "in it\n",
        number(report.first_round.value));
  for (std::size_t i = 0; i < verify::kCheckCount; ++i) {
    const auto check = static_cast<verify::Check>(i);
    const auto& [held, failed, remarked, skipped] = report.count(check);
    if (held + failed + remarked + skipped == 0) continue;
    std::string counts = std::to_string(held) + " ok";
    if (failed > 0) counts += ", " + std::to_string(failed) + " WRONG";
    if (remarked > 0) counts += ", " + std::to_string(remarked) + " remarks";
    if (skipped > 0) counts += ", " + std::to_string(skipped) + " not checked";
    std::printf("%-15s %-32s %s\n", std::string(name_of(check)).c_str(), counts.c_str(),
                std::string(meaning_of(check)).c_str());
  }
  std::printf("root of θ       %s\n", report.theta_root.hex().c_str());
  std::uint64_t failed = 0;
  for (const auto& count : report.checks) failed += count.failed;
  for (const auto& finding : report.findings)
    std::printf("WRONG  %s\n", printable(describe(finding)).c_str());
  if (failed > report.findings.size())
    std::printf("WRONG  and %llu more\n", number(failed - report.findings.size()));
  for (const auto& remark : report.remarks)
    std::printf("remark %s\n", printable(describe(remark)).c_str());
  if (!report.remarks.empty())
    std::printf(
        "remarks are of nodes that have no say; they changed no aggregate, state or payment\n");
  if (report.disputes > 0)
    std::printf("%llu signed disputes by nodes are among the messages\n", number(report.disputes));
  if (report.broken) std::printf("what comes after the last of these could not be checked\n");
  std::printf(report.ok() ? "audit ok: everything re-verified\n" : "audit FAILED\n");
}

nlohmann::ordered_json to_json(const verify::Finding& finding) {
  nlohmann::ordered_json json{
      {"check", name_of(finding.check)}, {"round", finding.round.value}, {"what", finding.what}};
  if (finding.signer) {
    auto& signer = json["signed_by"];
    signer["hotkey"] = finding.signer->hotkey.hex();
    if (finding.signer->role) signer["role"] = name_of(*finding.signer->role);
    if (finding.signer->uid) signer["uid"] = finding.signer->uid->value;
  }
  if (!finding.expected.empty() || !finding.found.empty()) {
    json["expected"] = finding.expected;
    json["found"] = finding.found;
  }
  return json;
}

nlohmann::ordered_json to_json(const verify::AuditReport& report, std::uint32_t rounds_planned) {
  nlohmann::ordered_json json{{"ok", report.ok()},
                              {"messages", report.messages},
                              {"rounds", report.rounds},
                              {"first_round", report.first_round.value},
                              {"rounds_planned", rounds_planned},
                              {"null_rounds", report.null_rounds},
                              {"disputes", report.disputes},
                              {"stopped_early", report.broken},
                              {"theta_root", report.theta_root.hex()}};
  for (std::size_t i = 0; i < verify::kCheckCount; ++i) {
    const auto check = static_cast<verify::Check>(i);
    const auto& [held, failed, remarked, skipped] = report.count(check);
    json["checks"][std::string(name_of(check))] = {
        {"ok", held}, {"wrong", failed}, {"remarks", remarked}, {"not_checked", skipped}};
  }
  json["findings"] = nlohmann::ordered_json::array();
  for (const auto& finding : report.findings) json["findings"].push_back(to_json(finding));
  json["remarks"] = nlohmann::ordered_json::array();
  for (const auto& remark : report.remarks) json["remarks"].push_back(to_json(remark));
  return json;
}

struct AuditOptions {
  std::string source = "runs/quickstart", data, rescore, receipts;
  std::optional<std::uint64_t> seed;
  ComputeChoice compute;
  bool json = false;
};

// The weights that follow from what each validator signed, by its uid.
void print(const verify::ScoreAudit& scores) {
  for (const auto& [hotkey, validator] : scores.validators()) {
    const auto weight_of = validator.book().weights();
    std::printf("weights         of uid %u (validator %s):", validator.uid.value,
                hotkey.brief().c_str());
    for (const auto& [uid, miner] : scores.miners()) {
      const auto weight = weight_of.find(miner);
      std::printf(" %u:%u", uid.value, weight == weight_of.end() ? 0 : weight->second);
    }
    std::printf("; outvoted in %llu of %llu verdicts\n", number(validator.outvoted),
                number(validator.verdicts));
  }
}

nlohmann::ordered_json to_json(const verify::ScoreAudit& scores) {
  auto validators = nlohmann::ordered_json::array();
  for (const auto& [hotkey, validator] : scores.validators()) {
    const auto weight_of = validator.book().weights();
    nlohmann::ordered_json json{{"uid", validator.uid.value},
                                {"hotkey", hotkey.hex()},
                                {"verdicts", validator.verdicts},
                                {"outvoted", validator.outvoted}};
    if (validator.last_screen) json["last_screen"] = validator.last_screen->value;
    for (const auto& [uid, miner] : scores.miners()) {
      const auto weight = weight_of.find(miner);
      json["weights"][std::to_string(uid.value)] = weight == weight_of.end() ? 0 : weight->second;
    }
    validators.push_back(std::move(json));
  }
  return validators;
}

// --rescore: a number, or "all".
Result<verify::RescoreOptions> rescore_options(const AuditOptions& options, std::uint64_t rounds) {
  verify::RescoreOptions rescore;
  rescore.rounds_expected = rounds;
  if (options.rescore == "all") return rescore;
  const Seed random = random_seed();
  rescore.seed = options.seed ? *options.seed : ByteReader(random).read<std::uint32_t>();
  const char* end = options.rescore.data() + options.rescore.size();
  const auto [parsed, error] = std::from_chars(options.rescore.data(), end, rescore.samples);
  if (error != std::errc{} || parsed != end || rescore.samples == 0)
    return Error{Errc::kInvalidArgument,
                 "--rescore wants a number of samples, or all; not '" + options.rescore + "'"};
  return rescore;
}

// Scores are computed again on the run's data.
struct Rescoring {
  verify::RescoreOptions options;
  std::unique_ptr<protocol::LossProbe> probe;
  std::optional<verify::Rescorer> rescorer;
};

Status prepare_rescoring(const AuditOptions& options, const AuditSource& source,
                         std::uint64_t rounds, Rescoring& rescoring) {
  MUSTER_TRY(rescoring.options, rescore_options(options, rounds));
  const bool is_folder = fs::is_directory(options.source);
  if (options.data.empty() && !is_folder)
    return Error{Errc::kInvalidArgument,
                 "scores are computed again on the run's data: --data FOLDER"};
  const fs::path data =
      options.data.empty() ? RunFolder{options.source}.data() : fs::path(options.data);
  MUSTER_TRY(const auto theta, source.initial_theta());
  MUSTER_TRY(rescoring.probe, make_audit_probe(source.params(), data, theta, options.compute));
  rescoring.rescorer.emplace(*rescoring.probe, rescoring.options);
  return {};
}

// A bundle that is cut off or changed so early that there is nothing to check.
int report_unreadable(const Error& error, bool as_json) {
  verify::AuditReport report;
  report.fail({verify::Check::kFile, Round{0}, {}, error.message});
  report.broken = true;
  if (as_json) {
    std::printf("%s\n", json_text(to_json(report, 0), 2).c_str());
  } else {
    print(report, 0);
  }
  return kExitChecksFailed;
}

Result<int> run_audit(const AuditOptions& options, const std::atomic<bool>& stop) {
  auto opened = AuditSource::open(options.source);
  const bool changed =
      !opened && (opened.error().code == Errc::kBadHash || opened.error().code == Errc::kTruncated);
  if (changed) return report_unreadable(opened.error(), options.json);
  MUSTER_TRY(const auto source, std::move(opened));
  const std::uint64_t rounds = source->rounds_claimed();
  Rescoring rescoring;
  if (!options.rescore.empty())
    MUSTER_TRY_STATUS(prepare_rescoring(options, *source, rounds, rescoring));
  verify::ScoreAudit scores;
  verify::ReceiptAudit receipts(protocol::run_id_of(source->params()),
                                source->params().coordinator);
  if (!options.receipts.empty()) {
    MUSTER_TRY_STATUS(read_receipts(options.receipts, receipts));
    if (receipts.receipts() == 0)
      return Error{Errc::kNotFound, options.receipts + ": no receipts of this run's coordinator"};
  }
  std::optional<ProgressLine> progress("auditing");
  AuditRunOptions run;
  run.prepare = [&](verify::Audit& audit) {
    audit.on_round([&](const auto& round, auto& report) { return scores.take(round, report); });
    if (receipts.receipts() > 0)
      audit.on_round([&](const auto& round, auto& report) { return receipts.take(round, report); });
    if (rescoring.rescorer)
      audit.on_round(
          [&](const auto& round, auto& report) { return rescoring.rescorer->take(round, report); });
  };
  run.after = [&](const verify::Audit& audit) {
    progress->show(audit.head().round().value, rounds);
    return Status();
  };
  MUSTER_TRY(const AuditedRun audited, audit_run(*source, run, stop));
  progress.reset();
  if (options.json) {
    auto json = to_json(audited.report, source->params().rounds);
    json["validators"] = to_json(scores);
    if (rescoring.rescorer)
      json["rescored"] = {{"seed", rescoring.options.seed},
                          {"platform_class", rescoring.probe->platform_class()},
                          {"exact", rescoring.rescorer->exact()},
                          {"within_tolerance", rescoring.rescorer->within()}};
    std::printf("%s\n", json_text(json, 2).c_str());
    return audited.report.ok() ? 0 : kExitChecksFailed;
  }
  if (rescoring.rescorer)
    std::printf(
        "scores again    %llu the same to the last digit, %llu of other platform classes within "
        "the "
        "tolerance; here %s%s\n",
        number(rescoring.rescorer->exact()), number(rescoring.rescorer->within()),
        rescoring.probe->platform_class().c_str(),
        rescoring.options.samples == 0
            ? ""
            : ("; --seed " + std::to_string(rescoring.options.seed) + " repeats the choice")
                  .c_str());
  if (audited.report.first_round == Round{0}) print(scores);
  print(audited.report, source->params().rounds);
  return audited.report.ok() ? 0 : kExitChecksFailed;
}

// ---- audit export

struct ExportOptions {
  std::string run, file;
  bool without_payloads = false, json = false;
};

Result<int> run_export(const ExportOptions& options, const std::atomic<bool>& stop) {
  const RunFolder folder{options.run};
  MUSTER_TRY(const auto params, read_params(folder));
  std::vector<float> model;
  if (fs::exists(folder.initial_file())) {
    MUSTER_TRY(model, initial_theta(folder, params));
  }
  const fs::path archive = folder.archive();
  const fs::path file =
      options.file.empty() ? folder.root / "bundle.muster" : fs::path(options.file);
  MUSTER_TRY(const protocol::BlobReader read_blob, open_blobs(folder));
  std::optional<ProgressLine> progress("exporting");
  store::ExportOptions how{!options.without_payloads,
                           [&](const store::ExportProgress& done) -> Status {
                             progress->show(done.rounds, done.rounds_total);
                             return stop ? Status(Error{Errc::kCancelled, "stopped"}) : Status();
                           }};
  MUSTER_TRY(const auto exported,
             store::export_bundle({params, model, archive, read_blob}, file, how));
  progress.reset();
  if (options.json) {
    const nlohmann::ordered_json json{{"file", file.string()},
                                      {"bytes", exported.bytes},
                                      {"rounds", exported.rounds},
                                      {"messages", exported.messages},
                                      {"blobs", exported.blobs},
                                      {"blobs_missing", exported.blobs_missing},
                                      {"payloads", !options.without_payloads}};
    std::printf("%s\n", json_text(json, 2).c_str());
  } else {
    std::printf("%s: %llu rounds, %llu messages, %llu blobs, %llu bytes\n", file.c_str(),
                number(exported.rounds), number(exported.messages), number(exported.blobs),
                number(exported.bytes));
    if (exported.blobs_missing > 0)
      std::fprintf(
          stderr,
          "muster: %llu blobs that the run had are not there any more; the audit will name them\n",
          number(exported.blobs_missing));
  }
  return 0;
}

// ---- audit receipts

Result<int> run_receipts(const std::string& node, const std::string& file) {
  MUSTER_TRY(const std::uint64_t receipts, export_receipts(node, file));
  std::printf("%s: %llu receipts\n", file.c_str(), number(receipts));
  return 0;
}

void add_audit_receipts(Command audit) {
  const Command command =
      audit.add_command("receipts", "Write a node's receipts as one file, to be shown to others");
  auto node = std::make_shared<std::string>(), file = std::make_shared<std::string>();
  command.add_option("node", *node, "Folder of the node").required();
  command.add_option("file", *file, "File to write").required();
  command.footer(
      "Example: muster audit receipts runs/mine/nodes/miner-1 miner-1.receipts\n"
      "Then, anywhere: muster audit run.bundle --receipts miner-1.receipts");
  command.action([=](const std::atomic<bool>&) { return run_receipts(*node, *file); });
}

void add_audit_export(Command audit) {
  const Command command =
      audit.add_command("export", "Write a run as one file that can be audited anywhere");
  auto options = std::make_shared<ExportOptions>();
  command.add_option("run", options->run, "Folder of the run").required();
  command.add_option("file", options->file, "File to write; default: bundle.muster in the folder");
  command.add_flag("--without-payloads", options->without_payloads,
                   "Leave the miners' payloads out, which are most of it: aggregates are then "
                   "taken as they are");
  command.add_flag("--json", options->json, "Machine-readable output");
  command.footer(
      "Example: muster audit export runs/quickstart quickstart.bundle\n"
      "A run that is still going is exported up to the last sealed round");
  command.action([options](const std::atomic<bool>& stop) { return run_export(*options, stop); });
}

}  // namespace

void add_audit(Command app) {
  const Command command =
      app.add_command("audit", "Re-verify a run offline, from its folder or its bundle");
  auto options = std::make_shared<AuditOptions>();
  command.add_option("source", options->source, "Folder of a run, or a bundle").show_default();
  command.add_option(
      "--rescore", options->rescore,
      "Compute that many evaluations again, spread over the run, from payloads and data; or: all");
  command.add_option("--data", options->data,
                     "Folder of the run's data, for --rescore; default: the run's own");
  command.add_option("--seed", options->seed,
                     "Of the choice of samples; default: a random one, which is shown");
  command.add_option(
      "--receipts", options->receipts,
      "Folder of a node, or a file of its receipts: prove what the coordinator left out");
  command.add_flag("--json", options->json, "Machine-readable output");
  add_compute_options(command, options->compute);
  add_audit_export(command);
  add_audit_receipts(command);
  command.footer(
      "Examples: muster audit runs/quickstart\n"
      "          muster audit export runs/quickstart quickstart.bundle\n"
      "          muster audit quickstart.bundle        (needs nothing else)\n"
      "          muster audit quickstart.bundle --rescore 20 --data data\n"
      "          muster audit quickstart.bundle --receipts runs/quickstart/nodes/miner-1\n"
      "Exit code 3 when something is wrong");
  command.action([=](const std::atomic<bool>& stop) { return run_audit(*options, stop); });
}

}  // namespace muster::cli
