#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/audit_run.h"
#include "cli/commands.h"
#include "store/archive.h"
#include "store/file_blob_store.h"

namespace muster::cli {

Result<AuditedRun> audit_run(const RunFolder& folder, const std::atomic<bool>& stop) {
  MUSTER_TRY(const auto params, read_params(folder));
  MUSTER_TRY(auto blobs, store::FileBlobStore::open(folder.blobs()));
  MUSTER_TRY(auto theta, initial_theta(folder, params));
  verify::Audit audit(params, std::move(theta),
                      [&](const Hash& id) { return blobs->get(id); });
  const Status read = store::read_archive(folder.archive(), [&](ByteSpan message) -> Status {
    if (stop) return Error{Errc::kCancelled, "stopped"};
    (void)audit.take(message);
    return {};
  });
  if (!read && (read.error().code == Errc::kCancelled || read.error().code == Errc::kNotFound))
    return read.error();
  AuditedRun result{audit.finish(), {audit.theta().begin(), audit.theta().end()}};
  if (!read) result.report.problems.push_back(read.error().message);
  return result;
}

namespace {

void print(const verify::AuditReport& report) {
  std::printf("messages    %llu, every signature checked\n",
              static_cast<unsigned long long>(report.messages));
  std::printf("rounds      %llu sealed again from their payloads (%llu without an aggregate)\n",
              static_cast<unsigned long long>(report.rounds),
              static_cast<unsigned long long>(report.null_rounds));
  std::printf("payloads    %llu opened, decoded and matched with their commits\n",
              static_cast<unsigned long long>(report.payloads));
  std::printf("state       root of θ %s, as %llu attestations say\n", report.theta_root.hex().c_str(),
              static_cast<unsigned long long>(report.attestations));
  for (const std::string& problem : report.problems) std::printf("WRONG       %s\n", problem.c_str());
  std::printf(report.ok() ? "audit ok: everything re-verified\n" : "audit FAILED\n");
}

Result<int> run_audit(const std::string& run, bool as_json, const std::atomic<bool>& stop) {
  MUSTER_TRY(const AuditedRun audited, audit_run(RunFolder{run}, stop));
  const auto& report = audited.report;
  if (as_json) {
    const nlohmann::ordered_json json{{"ok", report.ok()},
                                      {"messages", report.messages},
                                      {"rounds", report.rounds},
                                      {"payloads", report.payloads},
                                      {"attestations", report.attestations},
                                      {"theta_root", report.theta_root.hex()},
                                      {"problems", report.problems}};
    std::printf("%s\n", json.dump(2).c_str());
  } else {
    print(report);
  }
  return report.ok() ? 0 : kExitChecksFailed;
}

}  // namespace

void add_audit(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("audit", "Re-verify a run offline from its archive");
  auto run = std::make_shared<std::string>("runs/quickstart");
  auto as_json = std::make_shared<bool>(false);
  command->add_option("run", *run, "Folder of the run")->capture_default_str();
  command->add_flag("--json", *as_json, "Machine-readable output");
  command->footer("Example: muster audit runs/quickstart\nExit code 3 when something is wrong");
  command->callback([=, &chosen] {
    chosen = [=](const std::atomic<bool>& stop) { return run_audit(*run, *as_json, stop); };
  });
}

}  // namespace muster::cli
