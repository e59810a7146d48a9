#include "coordinator/membership.h"

#include <algorithm>
#include <array>
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

std::size_t Membership::ready_count(Role role) const {
  return static_cast<std::size_t>(
      std::count_if(ready_.begin(), ready_.end(), [&](const auto& entry) {
        const Member* member = find(entry.first);
        return member != nullptr && member->role == role;
      }));
}

void Membership::begin_round() {
  ready_ = std::exchange(following_, {});
  for (auto& [hotkey, ready] : ready_) ready.next_secret_hashes[0] = ready.next_secret_hashes[1];
}

bool Membership::has_staked_validator() const {
  return std::ranges::any_of(ready_, [&](const auto& entry) {
    const Member* member = find(entry.first);
    return member != nullptr && member->role == Role::kValidator && member->stake > 0;
  });
}

Membership::Attendance Membership::attendance(const protocol::ChainHead& head, Role role) const {
  Attendance attendance;
  for (const auto& entry : head.last_roster()) {
    const Member* member = find(entry.hotkey);
    if (member == nullptr || member->role != role || !head.expected(entry.hotkey)) continue;
    ++attendance.expected;
    attendance.ready += ready_.contains(entry.hotkey);
  }
  return attendance;
}

bool Membership::all_expected_ready(const protocol::ChainHead& head) const {
  return std::ranges::all_of(std::array{Role::kMiner, Role::kValidator}, [&](Role role) {
    const Attendance of = attendance(head, role);
    return of.ready == of.expected;
  });
}

std::vector<protocol::RosterEntry> Membership::roster() const {
  std::vector<protocol::RosterEntry> roster;
  for (const auto& [hotkey, ready] : ready_) {
    if (const Member* member = find(hotkey)) {
      roster.push_back({member->uid, hotkey, member->role, member->stake,
                        member->role == Role::kValidator ? ready.next_secret_hashes[0] : Hash{}});
    }
  }
  std::sort(roster.begin(), roster.end(),
            [](const auto& a, const auto& b) { return a.uid < b.uid; });
  if (roster.size() > limits::kRosterMax) roster.resize(limits::kRosterMax);
  return roster;
}

}  // namespace muster::coordinator
