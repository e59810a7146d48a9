#include "cli/audit_run.h"

#include "cli/machine.h"

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
  return audit_run(*source, {}, stop);
}

}  // namespace muster::cli
