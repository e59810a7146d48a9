// Checkpoints of the agreed state: their blob, and how a node that is far behind takes one.
//
// A checkpoint is believed because validators holding more than half of the validators' stake on
// the ledger attest the roots of its θ and residual and the hash of its chain head; not because the
// coordinator offers it. Thread safety: pure functions; a Joining has one owner.
#pragma once

#include <optional>
#include <vector>

#include "protocol/attestation.h"
#include "protocol/chain_head.h"

namespace muster::protocol {

// What a validator says of its state.
[[nodiscard]] Attest attest_of(const ChainHead& head, const Hash& theta_root,
                               const Hash& downlink_root);

struct AgreedState {
  HeadState head;
  std::vector<float> theta;
  std::vector<float> downlink_residual;
};

// What encode_state makes at most: the largest blob that a follower ever fetches.
[[nodiscard]] std::uint64_t state_bytes_max(const compression::Layout& layout);
[[nodiscard]] Bytes encode_state(const compression::Layout& layout, const HeadState& head,
                                 std::span<const float> theta,
                                 std::span<const float> downlink_residual);
// Errors: those of state::decode_checkpoint, and kMalformed for the head.
[[nodiscard]] Result<AgreedState> decode_state(const compression::Layout& layout, ByteSpan blob);

// The coordinator's offer, at the position that it was signed for.
struct CheckpointOffer {
  Checkpoint checkpoint;
  Position position;
};

// Taking a checkpoint, step by step: offer, stakes, blob. When one does not hold up the node
// replays rounds instead, and takes none before it has replayed some.
class Joining {
 public:
  // What the Ready of a node before round `at` says: whether an offer is welcome.
  [[nodiscard]] bool takes_checkpoint(Round at) const { return at >= none_before_; }
  [[nodiscard]] bool under_way() const { return offer_.has_value(); }
  // The blob that is being fetched, if any.
  [[nodiscard]] std::optional<Hash> wanted() const;

  // True when the validators' stakes are to be asked for.
  [[nodiscard]] bool take_offer(CheckpointOffer offer);
  // The blob to fetch. Errors: kPermission (no majority of the stake attests it).
  [[nodiscard]] Result<Hash> take_stakes(const ValidatorStakes& stakes);
  // Errors: decode_state's; kBadHash (not what is attested).
  [[nodiscard]] Result<AgreedState> take_blob(const ProtocolParams& params,
                                              const compression::Layout& layout, ByteSpan blob);
  // The offer led nowhere: none is taken before the node, now before round `at`, has replayed 16
  // rounds.
  void refuse(Round at);
  void refuse_for_good();
  void finish() { offer_.reset(), attested_.reset(); }

 private:
  std::optional<CheckpointOffer> offer_;
  std::optional<Attest> attested_;
  Round none_before_;
};

}  // namespace muster::protocol
