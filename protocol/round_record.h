// One round as its signed messages say, opened and checked: the common input of the coordinator's
// seal, the validators' verification of it and the offline audit.
//
// Thread safety: pure functions.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "protocol/chain_head.h"
#include "protocol/messages.h"
#include "protocol/params.h"
#include "protocol/signed_message.h"

namespace muster::protocol {

struct RoundContext {
  const ProtocolParams& params;
  const compression::Layout& layout;
  Position position;
  double norm_max = 0;   // ChainHead::norm_max()
  unsigned threads = 1;  // of this machine; no result depends on it
};

// The commits of a CommitsClosed by uid. Errors: kMalformed, kBadSignature, kWrongRound,
// kPermission (not a miner of the roster), kNotFound (not_whole()), kConflict (not ascending, or
// one twice).
[[nodiscard]] Result<std::map<Uid, Signed<Commit>>> read_commits(const Position& position,
                                                                 const RoundOpen& open,
                                                                 const CommitsClosed& closed);
// The payloads that the close's commits name, in order, of those that read; no signature is
// checked.
[[nodiscard]] std::vector<Hash> payloads_named(const CommitsClosed& closed);
// The keys of a RevealsClosed by uid. The same errors.
[[nodiscard]] Result<std::map<Uid, Signed<Reveal>>> read_reveals(
    const Position& position, const RoundOpen& open, const std::map<Uid, Signed<Commit>>& commits,
    const RevealsClosed& closed);
// The Screens of a manifest by uid, with their validators' weights of `weights`:
// ChainHead::weights(open).
[[nodiscard]] Result<std::vector<WeighedScreen>> read_screens(
    const Position& position, const RoundOpen& open, const std::map<Uid, std::uint64_t>& weights,
    const std::vector<Bytes>& screens);

// A committed payload after the reveal: checked, or why not.
struct OpenedPayload {
  OutcomeCode code = OutcomeCode::kMissed;  // kAccepted: open and decoded, not yet ruled on
  Hash payload_id;
  compression::Payload payload;
  double norm = 0;
  std::string problem;  // in words, when not kAccepted
};

// Gives the bytes of a blob that is there. An error means that this node does not hold it.
using BlobReader = std::function<Result<Bytes>(const Hash& id)>;

// One commit, with the key that came for it, if any. Errors: as of open_payloads.
[[nodiscard]] Result<OpenedPayload> open_payload_of(const RoundContext& context,
                                                    const Signed<Commit>& commit,
                                                    const Signed<Reveal>* reveal,
                                                    const BlobReader& blobs);
// One entry for every commit. Errors: only a missing blob (kNotFound): what a miner did wrong is an
// outcome, not an error.
[[nodiscard]] Result<std::map<Uid, OpenedPayload>> open_payloads(
    const RoundContext& context, const std::map<Uid, Signed<Commit>>& commits,
    const std::map<Uid, Signed<Reveal>>& reveals, const BlobReader& blobs);

// True when the two envelopes prove that their sender equivocated: same sender, run, round, parent
// and type (Commit, Reveal or Screen), different bytes, both signed.
[[nodiscard]] bool proves_equivocation(const Evidence& evidence);

}  // namespace muster::protocol
