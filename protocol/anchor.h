// Anchor: what a validator puts on the ledger once an epoch about the run that it follows.
//
// A coordinator can show two groups of nodes two runs, each with a chain of manifests of its own,
// as long as they do not meet. The ledger is where they meet: every node compares the anchors there
// with the manifests that it has. Beside the manifest, an anchor has what its validator may have to
// prove later: that it already said then which of its Screens were left out, and of what it has
// accused the coordinator. It stands in the validator's commitment slot, as raw bytes. Thread
// safety: values; AnchorWatch: one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sign.h"
#include "base/types.h"
#include "protocol/ledger_client.h"
#include "protocol/signed_message.h"

namespace muster::protocol {

struct Anchor {
  Hash run_id;
  Round round;    // sealed
  Hash manifest;  // of it
  // What extend() makes of each in turn; zero: nothing.
  Hash left_out;  // rounds whose seal lacks the Screen that this validator sent
  Hash disputes;  // Dispute messages that it signed
  bool operator==(const Anchor&) const = default;
};

// A list's hash with one more item: of a round's number or a message.
[[nodiscard]] Hash extend(const Hash& list, ByteSpan item);

// At most 128 bytes: the run by the first 16 bytes of its id.
[[nodiscard]] Bytes encode_anchor(const Anchor& anchor);
// None: the bytes are no anchor of this run.
[[nodiscard]] std::optional<Anchor> decode_anchor(ByteSpan bytes, const Hash& run_id);

// What somebody who may validate has in its commitment slot.
struct SeenAnchor {
  PublicKey by;
  Bytes bytes;
};
[[nodiscard]] std::vector<SeenAnchor> anchors_of(const Metagraph& metagraph);

class AnchorWatch {
 public:
  explicit AnchorWatch(const Hash& run_id) : run_id_(run_id) {}
  // This node is at `at`, by the parent manifest. It remembers those of the last kRoundsKept
  // rounds.
  void reach(const Position& at);
  // Anchors of other manifests than this node has of their rounds, in words; of each hotkey once.
  [[nodiscard]] std::vector<std::string> compare(const std::vector<SeenAnchor>& anchors);
  static constexpr std::size_t kRoundsKept = 8192;

 private:
  Hash run_id_;
  std::map<Round, Hash> manifests_;
  std::set<PublicKey> said_;
};

}  // namespace muster::protocol
