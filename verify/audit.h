// Audit: re-verifies a run from its messages and blobs alone: no network, no ledger, nobody's word.
//
// Messages come in the order of the archive, one at a time; memory is θ, the downlink's residual
// and one round. A wrong message is a finding, and the audit goes on as long as what follows can
// still be checked; it stops where the chain of manifests breaks. Where a round's payloads are not
// there, the aggregate is taken from its blob, and what needs payloads is skipped from there on.
// The records of a rebuilt folder begin in the midst of the run, with a state that attestations
// vouch for. Thread safety: none; one owner.
#pragma once

#include <optional>

#include "protocol/seal.h"
#include "verify/audit_report.h"
#include "verify/audited_round.h"

namespace muster::verify {

struct AuditOptions {
  unsigned threads = 1;
  bool payloads_left_out = false;  // on purpose: that they are missing is no finding
};

class Audit {
 public:
  // `blobs`: by id; content that does not have it is a finding.
  Audit(const protocol::ProtocolParams& params, std::vector<float> initial_theta,
        protocol::BlobReader blobs, const AuditOptions& options = {});

  // Called with every sealed round that could be checked, in order; may add to the report.
  using TakeRound = std::function<Status(const AuditedRound&, AuditReport&)>;
  void on_round(TakeRound take_round) { observers_.push_back(std::move(take_round)); }

  // Takes the archive's messages in order. False once the chain is broken: the rest cannot be
  // checked. Errors: only those of what on_round() added.
  [[nodiscard]] Result<bool> take(ByteSpan message);
  // The file that the messages come from is damaged: nothing comes after this. Or it is whole.
  void damaged(const Error& error);
  void whole() { report_.hold(Check::kFile); }
  [[nodiscard]] AuditReport finish();

  [[nodiscard]] std::span<const float> theta() const { return theta_; }
  [[nodiscard]] const protocol::ChainHead& head() const { return head_; }

 private:
  // The round being gone through.
  struct Progress {
    std::optional<protocol::Signed<protocol::RoundOpen>> open;
    Bytes commits_closed, reveals_closed;  // empty: not yet
    Hash commit_root;
    std::map<Uid, protocol::Signed<protocol::Commit>> commits;
    std::map<Uid, protocol::Signed<protocol::Reveal>> reveals;
    std::map<Uid, protocol::OpenedPayload> payloads;
    bool payloads_known = true;
    // Hashes of the commits, keys and Screens that the coordinator kept, by sender: at most two
    // versions of each.
    std::map<std::pair<protocol::MessageType, PublicKey>, std::vector<Hash>> received;
    std::set<Hash> attests;  // hashes of those compared
  };
  struct Roots {
    Hash theta, downlink;
  };

  [[nodiscard]] Signer signer_of(const PublicKey& hotkey) const;
  void fail(Check check, const PublicKey& signer, std::string what, std::string expected = {},
            std::string found = {});
  bool stop(Check check, const PublicKey& signer, std::string what, std::string expected = {},
            std::string found = {});
  bool refused(const PublicKey& signer, const Error& error, Check otherwise, std::string_view name);
  Result<bool> take_envelope(const wire::Envelope& envelope, ByteSpan bytes);
  void take_nodes(const wire::Envelope& envelope, ByteSpan bytes);
  bool take_base(const wire::Envelope& envelope);
  bool take_base_state(const wire::Envelope& envelope);
  bool take_coordinators(const wire::Envelope& envelope, ByteSpan bytes);
  bool take_open(const wire::Envelope& envelope, ByteSpan bytes);
  void check_open(const protocol::RoundOpen& open);
  bool take_commits_closed(const wire::Envelope& envelope, ByteSpan bytes);
  bool take_reveals_closed(const wire::Envelope& envelope, ByteSpan bytes);
  bool open_payloads();
  Result<bool> take_manifest(const wire::Envelope& envelope, ByteSpan bytes);
  Result<protocol::SealedRound> seal_again(const protocol::SealInputs& inputs, bool from_payloads);
  bool is_fork(const wire::Envelope& envelope, ByteSpan bytes);
  [[nodiscard]] protocol::SealInputs inputs_for(
      const protocol::SealRecord& record, const std::map<Uid, protocol::OpenedPayload>& payloads,
      const std::map<Uid, std::uint32_t>& arrivals) const;
  void check_aggregate_blob(const protocol::Manifest& manifest, const Bytes& expected);
  bool take_aggregate_from_blob(const protocol::Manifest& manifest,
                                compression::Payload& aggregate);
  void aggregate_missing(const protocol::Manifest& manifest, const std::string& problem);
  [[nodiscard]] std::optional<protocol::SealRecord> read_record(const protocol::Manifest& manifest);
  [[nodiscard]] std::vector<AuditedScreen> read_screens(const protocol::SealRecord& record);
  void check_left_out(const protocol::SealRecord& record);
  void take_attest(const wire::Envelope& envelope, ByteSpan bytes);
  [[nodiscard]] const Roots& roots();

  protocol::ProtocolParams params_;
  compression::Layout layout_;
  AuditOptions options_;
  protocol::BlobReader blobs_;
  std::vector<TakeRound> observers_;
  protocol::ChainHead head_;
  std::optional<protocol::Position> last_position_;  // of the round sealed last
  std::vector<float> theta_;
  std::vector<float> residual_;
  bool residual_known_ = true;
  std::optional<Roots> roots_;             // of both as they are; made when asked for
  std::map<PublicKey, Signer> names_;      // of the last roster
  unsigned __int128 validator_stake_ = 0;  // in it
  Progress progress_;
  bool awaits_state_ = false;  // of the round that the records begin with
  AuditReport report_;
};

}  // namespace muster::verify
