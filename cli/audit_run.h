// Audits the run in a folder, from its archive and blobs. Thread safety: pure but for the files.
#pragma once

#include <atomic>

#include "cli/run_folder.h"
#include "verify/audit.h"

namespace muster::cli {

struct AuditedRun {
  verify::AuditReport report;
  std::vector<float> theta;  // after the last round
};
// Errors: kNotFound (no run here), kCancelled; what is wrong with the run itself is in the report.
[[nodiscard]] Result<AuditedRun> audit_run(const RunFolder& folder, const std::atomic<bool>& stop);

}  // namespace muster::cli
