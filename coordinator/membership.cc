#include "coordinator/membership.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace muster::coordinator {

void Membership::set_ledger(LedgerView view) {
  view_ = std::move(view);
  by_hotkey_.clear();
  for (const Member& member : view_.members) by_hotkey_[member.hotkey] = member;
}

const Member* Membership::find(const PublicKey& hotkey) const {
  const auto found = by_hotkey_.find(hotkey);
  return found == by_hotkey_.end() ? nullptr : &found->second;
}

Role Membership::role_of(const protocol::ChainHead& head, const PublicKey& hotkey) const {
  const Member* member = find(hotkey);
  if (member == nullptr || !member->may_validate) return Role::kMiner;
  for (const auto* readies : {&following_, &ready_})
    if (const auto said = readies->find(hotkey); said != readies->end()) return said->second.role;
  const auto* before = head.find_in_last_roster(hotkey);
  return before == nullptr ? Role::kMiner : before->role;
}

std::map<PublicKey, std::uint64_t> Membership::validator_weights(
    const protocol::ChainHead& head) const {
  protocol::ValidatorStakes stakes;
  for (const Member& member : view_.members)
    if (role_of(head, member.hotkey) == Role::kValidator) stakes[member.hotkey] = member.stake;
  return head.validator_weights(stakes);
}

std::size_t Membership::ready_count(const protocol::ChainHead& head, Role role) const {
  const auto weights = validator_weights(head);
  return static_cast<std::size_t>(std::ranges::count_if(ready_, [&](const auto& entry) {
    if (find(entry.first) == nullptr || entry.second.role != role) return false;
    if (role != Role::kValidator) return true;
    const auto weight = weights.find(entry.first);
    return weight != weights.end() && weight->second > 0;
  }));
}

void Membership::begin_round() {
  ready_ = std::exchange(following_, {});
  for (auto& [hotkey, ready] : ready_) ready.next_secret_hashes[0] = ready.next_secret_hashes[1];
}

protocol::Turnout Membership::turnout(const protocol::ChainHead& head,
                                      std::uint16_t quorum_percent) const {
  const auto validator_weight = validator_weights(head);
  std::vector<protocol::Attendant> miners, validators;
  std::vector<protocol::Standing> standings;
  for (const auto& entry : head.last_roster()) {
    const Member* member = find(entry.hotkey);
    if (member == nullptr) continue;
    protocol::Attendant attendant{0, head.expected(entry.hotkey), ready_.contains(entry.hotkey)};
    if (entry.role == Role::kMiner) {
      miners.push_back(attendant);
      standings.push_back(entry.standing);
    } else if (const auto weight = validator_weight.find(entry.hotkey);
               weight != validator_weight.end()) {
      attendant.weight = weight->second;
      if (attendant.weight > 0) validators.push_back(attendant);
    }
  }
  const auto weights = protocol::miner_weights(standings);
  for (std::size_t i = 0; i < miners.size(); ++i) miners[i].weight = weights[i];
  const auto of_miners = protocol::turnout(miners, quorum_percent);
  const auto of_validators = protocol::turnout(validators, quorum_percent);
  return {of_miners.is_complete && of_validators.is_complete,
          of_miners.is_quorum && of_validators.is_quorum};
}

std::vector<protocol::RosterEntry> Membership::roster() const {
  std::vector<protocol::RosterEntry> roster;
  for (const auto& [hotkey, ready] : ready_) {
    const Member* member = find(hotkey);
    const bool validates = ready.role == Role::kValidator;
    if (member == nullptr || (validates && !member->may_validate)) continue;
    roster.push_back({member->uid, hotkey, ready.role, member->stake,
                      validates ? ready.next_secret_hashes[0] : Hash{}});
  }
  std::sort(roster.begin(), roster.end(),
            [](const auto& a, const auto& b) { return a.uid < b.uid; });
  if (roster.size() > limits::kRosterMax) roster.resize(limits::kRosterMax);
  return roster;
}

}  // namespace muster::coordinator
