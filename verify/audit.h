// Audit: re-verifies a run from its archive and blobs alone: no network, no ledger, nobody's word.
//
// Every signature, the chain of parents, data cursors and beacons, commit roots, keys, payload hashes, the
// tally, clip factors, aggregates and state ids are made again; state roots are compared with what the
// validators attested. Thread safety: none; one owner.
#pragma once

#include <optional>

#include "protocol/round_record.h"
#include "protocol/seal.h"

namespace muster::verify {

struct AuditReport {
  std::uint64_t messages = 0;
  std::uint64_t rounds = 0;
  std::uint64_t null_rounds = 0;
  std::uint64_t payloads = 0;
  std::uint64_t attestations = 0;        // that match the state made again
  std::uint64_t disputes = 0;
  Hash theta_root;                       // after the last round
  std::vector<std::string> problems;     // each names the round and who signed what; empty: all holds
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

class Audit {
 public:
  Audit(const protocol::ProtocolParams& params, std::vector<float> initial_theta,
        protocol::BlobReader blobs, unsigned threads = 1);
  // Takes the archive's messages in order. False once the chain is broken: the rest cannot be checked.
  bool take(ByteSpan message);
  [[nodiscard]] AuditReport finish();
  [[nodiscard]] std::span<const float> theta() const { return theta_; }

 private:
  void problem(const std::string& what);
  Status take_envelope(const wire::Envelope& envelope, ByteSpan bytes);
  Status take_manifest(const wire::Envelope& envelope, ByteSpan bytes);
  Status take_attest(const wire::Envelope& envelope, ByteSpan bytes);

  protocol::ProtocolParams params_;
  compression::Layout layout_;
  unsigned threads_;
  protocol::BlobReader blobs_;
  protocol::ChainHead head_;
  std::vector<float> theta_;
  std::vector<float> residual_;
  Hash theta_root_, downlink_root_;
  std::optional<protocol::Signed<protocol::RoundOpen>> open_;
  std::map<Uid, protocol::Signed<protocol::Commit>> commits_;
  std::map<Uid, protocol::Signed<protocol::Reveal>> reveals_;
  Hash commit_root_, reveals_hash_;
  bool broken_ = false;
  AuditReport report_;
};

}  // namespace muster::verify
