#include "protocol/attestation.h"

#include <map>
#include <set>

namespace muster::protocol {

std::optional<Attest> majority_attestation(const Position& position, const RoundOpen& open) {
  unsigned __int128 total = 0;
  for (const RosterEntry& entry : open.roster)
    if (entry.role == Role::kValidator) total += entry.stake;

  std::map<Bytes, unsigned __int128> stake_by_content;
  std::set<PublicKey> counted;
  for (const Bytes& bytes : open.attestations) {
    const auto attest = open_at<Attest>(bytes, position);
    if (!attest || attest->message.manifest_hash != position.parent) continue;
    const RosterEntry* entry = find_in_roster(open, attest->sender);
    if (entry == nullptr || entry->role != Role::kValidator) continue;
    if (!counted.insert(attest->sender).second) continue;
    auto& stake = stake_by_content[wire::encode(attest->message)];
    stake += entry->stake;
    if (stake * 2 > total) return attest->message;
  }
  return std::nullopt;
}

}  // namespace muster::protocol
