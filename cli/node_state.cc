#include "cli/node_state.h"

#include "protocol/journal.h"
#include "state/checkpoint.h"
#include "store/sqlite_journal.h"

namespace muster::cli {
namespace {

using protocol::MessageType;

// What the state contains, as protocol::recover_from() hands it to a node's core.
Status take_settled(protocol::Follower& follower, const wire::Envelope& envelope, ByteSpan record,
                    const protocol::ProtocolParams& params) {
  if (is_a(envelope, MessageType::kJoined)) {
    MUSTER_TRY(const auto joined, protocol::read_body<protocol::Joined>(envelope));
    MUSTER_TRY(const auto head, wire::decode<protocol::HeadState>(joined.head, "chain head"));
    MUSTER_TRY_STATUS(validate(head));
    follower.adopt(protocol::ChainHead(params, envelope.run_id, head));
    return {};
  }
  if (envelope.sender != params.coordinator) return {};
  MUSTER_TRY_STATUS(follower.take(record));
  if (follower.open() && follower.manifest()) follower.advance();
  return {};
}

}  // namespace

Result<NodeState> read_node_state(const std::filesystem::path& folder,
                                  const protocol::ProtocolParams& params) {
  const auto layout = state::layout_of(params.model);
  MUSTER_TRY(auto state, state::read_checkpoint(folder / kValidatorState, layout));
  ByteReader note(state.note);
  const auto saved = note.read<std::uint64_t>();
  if (!note.finished())
    return Error{Errc::kMalformed,
                 (folder / kValidatorState).string() + ": not a validator's state"};
  MUSTER_TRY(const auto journal, store::SqliteJournal::open(folder / kJournal));
  if (saved > journal->count())
    return protocol::records_missing(journal->count(), saved).within(folder.string());
  protocol::SavedExtent extent(saved);
  MUSTER_TRY_STATUS(
      journal->replay(0, [&](Round, ByteSpan record) { return extent.take(record); }));
  NodeState node{std::move(state.theta), std::move(state.downlink_residual),
                 protocol::Follower(params, protocol::run_id_of(params), Role::kValidator)};
  std::uint64_t index = 0;
  const Status read = journal->replay(0, [&](Round, ByteSpan record) -> Status {
    MUSTER_TRY(const auto envelope, wire::reread_envelope(record));
    if (extent.contains(index++)) return take_settled(node.follower, envelope, record, params);
    if (envelope.sender == params.coordinator) node.follower.set_aside(record);
    return {};
  });
  if (!read) return Error(read.error()).within(folder.string());
  node.follower.file_what_was_set_aside();
  return node;
}

}  // namespace muster::cli
