// What an audit reads: a run's folder or a bundle, behind one walk over parameters, messages and
// blobs.
//
// Thread safety: one thread; the source outlives what it hands out.
#pragma once

#include <atomic>

#include "base/file.h"
#include "cli/run_folder.h"
#include "verify/audit.h"

namespace muster::cli {

class AuditSource {
 public:
  // Errors: kNotFound (neither), kMalformed and kVersion (no bundle), kTooLarge (its model does not
  // fit into memory), those of a run's folder and initial model.
  [[nodiscard]] static Result<std::unique_ptr<AuditSource>> open(const std::filesystem::path& path);
  virtual ~AuditSource() = default;

  [[nodiscard]] const protocol::ProtocolParams& params() const { return params_; }
  // Sealed rounds that it says it has; for progress and for spreading samples.
  [[nodiscard]] virtual std::uint64_t rounds_claimed() const = 0;
  [[nodiscard]] virtual bool payloads_left_out() const = 0;
  [[nodiscard]] virtual Result<std::vector<float>> initial_theta() const = 0;
  // Hands the messages to `audit` until its end, or until the chain breaks. `after`: called after
  // each message. Errors: `after`'s, and those of the audit; what is wrong with the source itself
  // is a finding.
  [[nodiscard]] virtual Status walk(verify::Audit& audit, const std::function<Status()>& after) = 0;
  // For the audit that walks it.
  [[nodiscard]] virtual protocol::BlobReader blobs() = 0;

 protected:
  protocol::ProtocolParams params_;
};

}  // namespace muster::cli
