#include "protocol/checkpoint.h"

#include <algorithm>
#include <limits>

#include "state/checkpoint.h"
#include "state/state_root.h"

namespace muster::protocol {
namespace {

constexpr std::uint64_t kReplayedBeforeTheNext = 16;

}  // namespace

Attest attest_of(const ChainHead& head, const Hash& theta_root, const Hash& downlink_root) {
  return {head.position().parent, head.state_id(), theta_root, downlink_root, head.hash()};
}

std::uint64_t state_bytes_max(const compression::Layout& layout) {
  constexpr std::uint64_t kHeader = 2u << 20;
  constexpr std::uint64_t kArrays = 2,
                          kLengthBytes = 8;  // θ and the residual, in segments with a length each
  return layout.parameters() * kArrays * sizeof(float) +
         layout.segment_count() * kArrays * kLengthBytes + kHeader;
}

Bytes encode_state(const compression::Layout& layout, const HeadState& head,
                   std::span<const float> theta, std::span<const float> downlink_residual) {
  return state::encode_checkpoint(layout, wire::encode(head), theta, downlink_residual);
}

Result<AgreedState> decode_state(const compression::Layout& layout, ByteSpan blob) {
  MUSTER_TRY(auto raw, state::decode_checkpoint(layout, blob, "checkpoint"));
  MUSTER_TRY(auto head, wire::decode<HeadState>(raw.note, "chain head of a checkpoint"));
  MUSTER_TRY_STATUS(validate(head));
  return AgreedState{std::move(head), std::move(raw.theta), std::move(raw.downlink_residual)};
}

std::optional<Hash> Joining::wanted() const {
  return attested_ ? std::optional(offer_->checkpoint.blob_id) : std::nullopt;
}

bool Joining::take_offer(CheckpointOffer offer) {
  if (offer_ && offer_->position.round >= offer.position.round) return false;
  offer_ = std::move(offer);
  attested_.reset();
  return true;
}

Result<Hash> Joining::take_stakes(const ValidatorStakes& stakes) {
  MUSTER_CHECK(offer_, "stakes without an offer");
  attested_ = attested_by_majority(offer_->position, offer_->checkpoint.attestations, stakes);
  if (!attested_) {
    return Error{Errc::kPermission,
                 "the checkpoint of round " + std::to_string(offer_->position.round.value) +
                     " is not attested by validators with over half of the stake on the ledger"};
  }
  return offer_->checkpoint.blob_id;
}

Result<AgreedState> Joining::take_blob(const ProtocolParams& params,
                                       const compression::Layout& layout, ByteSpan blob) {
  MUSTER_CHECK(attested_, "a blob before the attestations were read");
  MUSTER_TRY(AgreedState state, decode_state(layout, blob));
  const ChainHead head(params, offer_->position.run_id, state.head);
  const Attest found = attest_of(head, state::parameters_root(layout, state.theta),
                                 state::parameters_root(layout, state.downlink_residual));
  if (head.position() != offer_->position || found != *attested_) {
    return Error{Errc::kBadHash, "the checkpoint of round " +
                                     std::to_string(offer_->position.round.value) +
                                     " is not the state that the validators attest"};
  }
  return state;
}

void Joining::refuse(Round at) {
  finish();
  none_before_ = std::max(none_before_, Round{at.value + kReplayedBeforeTheNext});
}

void Joining::refuse_for_good() {
  finish();
  none_before_ = Round{std::numeric_limits<std::uint64_t>::max()};
}

}  // namespace muster::protocol
