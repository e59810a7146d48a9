#include "protocol/head_watch.h"

namespace muster::protocol {

std::vector<SeenHead> ledger_heads(const Position& position, const RoundOpen& open) {
  std::vector<SeenHead> heads;
  for (const Bytes& bytes : open.attestations) {
    const auto attest = open_at<Attest>(bytes, position);
    if (!attest || !attest->message.ledger_head || find_in_roster(open, attest->sender) == nullptr)
      continue;
    heads.push_back({attest->sender, *attest->message.ledger_head});
  }
  return heads;
}

std::vector<std::string> HeadWatch::compare(const Compare& compare,
                                            const std::vector<SeenHead>& heads) {
  std::vector<std::string> differences;
  for (const auto& [by, head] : heads) {
    const Status same = compare(head);
    if (!same && said_.insert(by).second)
      differences.push_back("the ledger's head that " + by.brief() +
                            " has: " + same.error().message);
  }
  return differences;
}

}  // namespace muster::protocol
