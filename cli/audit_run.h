// Audits a run from its folder or its bundle. Thread safety: pure but for the files.
#pragma once

#include <atomic>

#include "cli/audit_source.h"

namespace muster::cli {

struct AuditedRun {
  verify::AuditReport report;
  std::vector<float> theta;  // after the last round
};

struct AuditRunOptions {
  // Called before the first message: may add observers of rounds.
  std::function<void(verify::Audit&)> prepare;
  // Called after every message; an error ends the audit.
  std::function<Status(const verify::Audit&)> after;
};

// Errors: the source's, kCancelled; what is wrong with the run itself is in the report.
[[nodiscard]] Result<AuditedRun> audit_run(AuditSource& source, const AuditRunOptions& options,
                                           const std::atomic<bool>& stop);
[[nodiscard]] Result<AuditedRun> audit_run(const RunFolder& folder, const std::atomic<bool>& stop);

}  // namespace muster::cli
