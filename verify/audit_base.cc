// The audit of records that begin in the midst of a run, because the coordinator's folder was
// rebuilt from the state of a node: where they begin, and with which state. Attestations in the
// next opening say whether it was the agreed one.
#include "compression/segmented_blob.h"
#include "protocol/checkpoint.h"
#include "verify/audit.h"

namespace muster::verify {

bool Audit::take_base(const wire::Envelope& envelope) {
  const auto joined = protocol::read_body<protocol::Joined>(envelope);
  auto state = joined ? wire::decode<protocol::HeadState>(joined->head, "chain head")
                      : Result<protocol::HeadState>(joined.error());
  if (state)
    if (const Status valid = validate(*state); !valid) state = valid.error();
  if (!state) return stop(Check::kManifestChain, envelope.sender, state.error().message);
  const protocol::Position position{envelope.run_id, state->round, state->parent};
  if (envelope.run_id != head_.position().run_id || !protocol::check_position(envelope, position) ||
      report_.messages > 1)
    return stop(Check::kManifestChain, envelope.sender,
                "the records leave rounds out in their midst");
  head_ = protocol::ChainHead(params_, envelope.run_id, std::move(*state));
  report_.first_round = head_.round();
  last_position_.reset();
  names_.clear();
  progress_ = Progress{};
  awaits_state_ = true;
  return true;
}

bool Audit::take_base_state(const wire::Envelope& envelope) {
  const std::string which = "the state before round " + std::to_string(head_.round().value) +
                            ", with which the records begin";
  const auto checkpoint = protocol::read_body<protocol::Checkpoint>(envelope);
  if (!checkpoint || envelope.sender != params_.coordinator ||
      !protocol::check_position(envelope, head_.position()))
    return stop(Check::kManifestChain, envelope.sender, which + ", is not named");
  const Hash& id = checkpoint->blob_id;
  const auto blob = blobs_(id);
  if (!blob)
    return stop(Check::kStateRoots, params_.coordinator, which + ", is not there", id.brief(),
                "none with this id");
  const auto actual = compression::blob_id(*blob, options_.threads);
  auto state = actual && *actual == id
                   ? protocol::decode_state(layout_, *blob)
                   : Result<protocol::AgreedState>(Error{Errc::kBadHash, "it is damaged"});
  if (state && wire::encode(state->head) != wire::encode(head_.state()))
    state = Error{Errc::kConflict, "its chain head is another"};
  if (!state)
    return stop(Check::kStateRoots, params_.coordinator, which + ": " + state.error().message);
  theta_ = std::move(state->theta);
  residual_ = std::move(state->downlink_residual);
  residual_known_ = true;
  roots_.reset();
  awaits_state_ = false;
  return true;
}

}  // namespace muster::verify
