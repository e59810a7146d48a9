// AuditReport: what an audit has checked, how often each check held, and what is wrong: in which
// round, signed by whom, what was expected and what was found.
//
// Thread safety: values and pure functions.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/sign.h"
#include "base/types.h"

namespace muster::verify {

// The kinds of checks, in the order in which reports list them.
enum class Check : std::uint8_t {
  kFile,  // the bundle or archive is whole
  kSignatures,
  kManifestChain,  // run, round and parent of every message; nothing signed twice
  kRosters,        // rosters, data cursors and beacons follow from the manifests before
  kCloses,         // commit roots, and that everybody speaks of the same close
  kKeys,           // of payloads, against what was committed
  kPayloads,       // bytes against the committed ids
  kSecrets,        // of validators' draws, against what was promised a round earlier
  kTally,          // outcomes and standings in the manifest
  kClipping,       // norms, clip norm and weights in the aggregate
  kAggregates,
  kStateIds,
  kStateRoots,   // of θ and the downlink's residual, against attestations
  kEvaluations,  // do not contradict the manifest
  kDraws,        // whom a validator measured follows from its secret and its ratings
  kStandings,    // in Screens, from the validator's own evaluations
  kWeights,      // likewise
  kRescored,     // evaluations computed again
  kReviews,      // of validators about each other, against those
  kReceipts,     // of a node, against closes and records
};
inline constexpr std::size_t kCheckCount = 20;
[[nodiscard]] std::string_view name_of(Check check);
[[nodiscard]] std::string_view meaning_of(Check check);

struct Signer {
  PublicKey hotkey;
  std::optional<Role> role = {};  // none: in no roster of the round
  std::optional<Uid> uid = {};
  std::uint64_t stake = 0;  // a validator's, in the roster
};
// "uid 3 (miner 1f0a5b2c)".
[[nodiscard]] std::string describe(const Signer& signer);

struct Finding {
  Check check = Check::kFile;
  Round round;
  std::optional<Signer> signer;  // of what is wrong
  std::string what;
  std::string expected = {};  // empty: `what` says it all
  std::string found = {};
};
// One sentence with all of it.
[[nodiscard]] std::string describe(const Finding& finding);

// What changed no outcome, because who signed it has no say: a remark, not a failure.
[[nodiscard]] bool is_remark(const Finding& finding);

struct CheckCount {
  std::uint64_t held = 0;
  std::uint64_t failed = 0;
  std::uint64_t remarked = 0;
  std::uint64_t skipped = 0;  // what it needs is not there, or the format left it out
};

// Findings beyond that many are counted only.
inline constexpr std::size_t kFindingsKept = 1000;

struct AuditReport {
  std::uint64_t messages = 0;
  std::uint64_t rounds = 0;  // sealed ones, gone through
  std::uint64_t null_rounds = 0;
  std::uint64_t disputes = 0;
  bool broken = false;  // what comes after the last finding could not be checked
  Round first_round;    // where the records begin; not 0 after the coordinator's folder was rebuilt
                        // from a node's state
  Hash theta_root;      // after the last round
  std::array<CheckCount, kCheckCount> checks{};
  std::vector<Finding> findings;
  std::vector<Finding> remarks;

  [[nodiscard]] bool ok() const;
  [[nodiscard]] const CheckCount& count(Check check) const {
    return checks[static_cast<std::size_t>(check)];
  }
  void hold(Check check, std::uint64_t times = 1) {
    checks[static_cast<std::size_t>(check)].held += times;
  }
  void skip(Check check, std::uint64_t times = 1) {
    checks[static_cast<std::size_t>(check)].skipped += times;
  }
  // A failure, or a remark.
  void fail(Finding finding);
  void remark(Finding finding);
};

}  // namespace muster::verify
