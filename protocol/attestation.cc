#include "protocol/attestation.h"

#include <set>

namespace muster::protocol {

std::optional<Attest> attested_by_majority(const Position& position,
                                           const std::vector<Bytes>& attestations,
                                           const ValidatorStakes& stakes) {
  unsigned __int128 total = 0;
  for (const auto& [validator, stake] : stakes) total += stake;

  std::map<Bytes, unsigned __int128> stake_by_content;
  std::set<PublicKey> counted;
  for (const Bytes& bytes : attestations) {
    auto attest = open_at<Attest>(bytes, position);
    if (!attest || attest->message.manifest_hash != position.parent) continue;
    const auto validator = stakes.find(attest->sender);
    if (validator == stakes.end() || !counted.insert(attest->sender).second) continue;
    attest->message.ledger_head.reset();
    auto& stake = stake_by_content[wire::encode(attest->message)];
    stake += validator->second;
    if (stake * 2 > total) return attest->message;
  }
  return std::nullopt;
}

std::optional<Attest> majority_attestation(const Position& position, const RoundOpen& open) {
  ValidatorStakes stakes;
  for (const RosterEntry& entry : open.roster)
    if (entry.role == Role::kValidator) stakes[entry.hotkey] = entry.stake;
  return attested_by_majority(position, open.attestations, stakes);
}

}  // namespace muster::protocol
