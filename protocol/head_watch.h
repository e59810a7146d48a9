// HeadWatch: whether the ledger tells every node the same.
//
// Nodes carry the ledger's newest head in Ready and Attest, signed by the ledger. Whoever follows
// the ledger's blocks compares: two heads that no one history has, both signed, prove that the
// ledger keeps two. Thread safety: one thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "protocol/ledger_head.h"
#include "protocol/messages.h"
#include "protocol/signed_message.h"

namespace muster::protocol {

// What a node says that the ledger signed.
struct SeenHead {
  PublicKey by;
  LedgerHead head;
};
// Of the validators of a round's roster, from the attestations that it carries.
[[nodiscard]] std::vector<SeenHead> ledger_heads(const Position& position, const RoundOpen& open);

class HeadWatch {
 public:
  // What differs by `compare` from what the ledger told this node, in words; of each hotkey once.
  using Compare = std::function<Status(const LedgerHead&)>;
  [[nodiscard]] std::vector<std::string> compare(const Compare& compare,
                                                 const std::vector<SeenHead>& heads);

 private:
  std::set<PublicKey> said_;
};

}  // namespace muster::protocol
