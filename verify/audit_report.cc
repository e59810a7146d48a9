#include "verify/audit_report.h"

#include <algorithm>

namespace muster::verify {
namespace {

struct CheckText {
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<CheckText, kCheckCount> kTexts{{
    {"file", "whole, and its entries chained"},
    {"signatures", "of every message, and of those within messages"},
    {"manifest chain", "run, round and parent of every message; nothing signed in two versions"},
    {"rosters", "rosters, data cursors and beacons follow from the manifests before"},
    {"closes", "commit roots, and that everybody speaks of one close"},
    {"keys", "against what was committed before"},
    {"payloads", "bytes against the ids that were committed"},
    {"secrets", "of validators' draws, against what was promised a round earlier"},
    {"tally", "outcomes and standings in manifests"},
    {"clipping", "norms, clip factors and weights in the aggregate"},
    {"aggregates", "summed up and compressed again"},
    {"state ids", "chained from the aggregates"},
    {"state roots", "of θ and the downlink's residual, against attestations"},
    {"evaluations", "do not contradict the manifests"},
    {"draws", "whom validators measured, against the drawn order"},
    {"standings", "in Screens, from the validator's own evaluations"},
    {"weights", "likewise"},
    {"rescored", "evaluations computed again from payloads and data"},
    {"reviews", "what validators say of each other's evaluations, against those computed again"},
    {"receipts", "of a node: what was acknowledged stands in closes and records"},
}};

}  // namespace

std::string_view name_of(Check check) { return kTexts[static_cast<std::size_t>(check)].name; }
std::string_view meaning_of(Check check) { return kTexts[static_cast<std::size_t>(check)].meaning; }

std::string describe(const Signer& signer) {
  const std::string key =
      (signer.role ? std::string(name_of(*signer.role)) : "hotkey") + " " + signer.hotkey.brief();
  return signer.uid ? "uid " + std::to_string(signer.uid->value) + " (" + key + ")" : key;
}

std::string describe(const Finding& finding) {
  std::string text = "round " + std::to_string(finding.round.value) + ": " +
                     std::string(name_of(finding.check)) + ": ";
  text += finding.what;
  if (finding.signer) text += ", signed by " + describe(*finding.signer);
  if (!finding.expected.empty() || !finding.found.empty())
    text += ": expected " + finding.expected + ", found " + finding.found;
  return text;
}

bool AuditReport::ok() const {
  return std::all_of(checks.begin(), checks.end(),
                     [](const CheckCount& count) { return count.failed == 0; });
}

// A file and its signatures are as they are; the coordinator's word counts always, a validator's by
// its stake.
bool is_remark(const Finding& finding) {
  if (finding.check == Check::kFile || finding.check == Check::kSignatures || !finding.signer)
    return false;
  if (finding.signer->role == Role::kCoordinator) return false;
  return finding.signer->role != Role::kMiner
             ? finding.signer->stake == 0
             : finding.check == Check::kRosters || finding.check == Check::kManifestChain;
}

void AuditReport::remark(Finding finding) {
  ++checks[static_cast<std::size_t>(finding.check)].remarked;
  if (remarks.size() < kFindingsKept) remarks.push_back(std::move(finding));
}

void AuditReport::fail(Finding finding) {
  if (is_remark(finding)) return remark(std::move(finding));
  ++checks[static_cast<std::size_t>(finding.check)].failed;
  if (findings.size() < kFindingsKept) findings.push_back(std::move(finding));
}

}  // namespace muster::verify
