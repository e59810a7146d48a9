#include "verify/rating_book.h"

#include <algorithm>

namespace muster::verify {

void RatingBook::take_roster(Round round, const std::vector<protocol::RosterEntry>& roster) {
  for (const auto& entry : roster) {
    if (entry.role != Role::kMiner) continue;
    const auto holder = holders_.find(entry.uid);
    if (holder != holders_.end() && holder->second.hotkey == entry.hotkey) continue;
    if (holder != holders_.end()) {
      ratings_.erase(holder->second.hotkey);
      uids_.erase(holder->second.hotkey);
    }
    if (const auto earlier = uids_.find(entry.hotkey); earlier != uids_.end()) {
      holders_.erase(earlier->second);
      ratings_.erase(entry.hotkey);
    }
    holders_[entry.uid] = {entry.hotkey, round};
    uids_[entry.hotkey] = entry.uid;
  }
}

void RatingBook::take(const protocol::Evaluation& evaluation) {
  const auto holder = holders_.find(evaluation.uid);
  if (holder == holders_.end() || evaluation.round < holder->second.since) return;
  // Who holds the uid stays known: evaluations that come together, some rounds later, must do what they do one by one.
  const auto rating = ratings_.try_emplace(holder->second.hotkey).first;
  rating->second.take(evaluation);
  if (rating->second.is_gone()) ratings_.erase(rating);
}

const Rating* RatingBook::find(Uid uid) const {
  const auto holder = holders_.find(uid);
  if (holder == holders_.end()) return nullptr;
  const auto rating = ratings_.find(holder->second.hotkey);
  return rating == ratings_.end() ? nullptr : &rating->second;
}

std::vector<Uid> RatingBook::missing_from(
    const std::vector<protocol::RosterEntry>& roster) const {
  std::vector<Uid> missing;
  for (const auto& [uid, holder] : holders_) {
    const bool rated = ratings_.contains(holder.hotkey);
    const bool listed = std::any_of(roster.begin(), roster.end(),
                                    [uid = uid](const auto& entry) { return entry.uid == uid; });
    if (rated && !listed) missing.push_back(uid);
  }
  return missing;
}

}  // namespace muster::verify
