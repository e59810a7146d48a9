#include "cli/audit_run.h"

#include "cli/machine.h"
#include "verify/score_audit.h"

namespace muster::cli {

Result<AuditedRun> audit_run(AuditSource& source, const AuditRunOptions& options,
                             const std::atomic<bool>& stop) {
  MUSTER_TRY(auto theta, source.initial_theta());
  verify::Audit audit(source.params(), std::move(theta), source.blobs(),
                      {core_count(), source.payloads_left_out()});
  if (options.prepare) options.prepare(audit);
  MUSTER_TRY_STATUS(source.walk(audit, [&]() -> Status {
    if (stop) return Error{Errc::kCancelled, "stopped"};
    return options.after ? options.after(audit) : Status();
  }));
  return AuditedRun{audit.finish(), {audit.theta().begin(), audit.theta().end()}};
}

Result<AuditedRun> audit_run(const RunFolder& folder, const std::atomic<bool>& stop) {
  MUSTER_TRY(const auto source, AuditSource::open(folder.root));
  verify::ScoreAudit scores;
  AuditRunOptions options;
  options.prepare = [&](verify::Audit& audit) {
    audit.on_round([&](const auto& round, auto& report) { return scores.take(round, report); });
  };
  return audit_run(*source, options, stop);
}

}  // namespace muster::cli
