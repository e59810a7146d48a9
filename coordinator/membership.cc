#include "coordinator/membership.h"

#include <algorithm>

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

std::size_t Membership::ready_count(Role role) const {
  return static_cast<std::size_t>(
      std::count_if(ready_.begin(), ready_.end(), [&](const auto& entry) {
        const Member* member = find(entry.first);
        return member != nullptr && member->role == role;
      }));
}

bool Membership::all_expected_ready(const protocol::ChainHead& head) const {
  return std::all_of(head.last_roster().begin(), head.last_roster().end(), [&](const auto& entry) {
    return !head.expected(entry.hotkey) || find(entry.hotkey) == nullptr ||
           ready_.contains(entry.hotkey);
  });
}

std::vector<protocol::RosterEntry> Membership::roster() const {
  std::vector<protocol::RosterEntry> roster;
  for (const auto& [hotkey, ready] : ready_) {
    if (const Member* member = find(hotkey)) {
      roster.push_back({member->uid, hotkey, member->role, member->stake,
                        member->role == Role::kValidator ? ready.next_secret_hash : Hash{}});
    }
  }
  std::sort(roster.begin(), roster.end(),
            [](const auto& a, const auto& b) { return a.uid < b.uid; });
  if (roster.size() > limits::kRosterMax) roster.resize(limits::kRosterMax);
  return roster;
}

}  // namespace muster::coordinator
