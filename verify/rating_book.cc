#include "verify/rating_book.h"

#include <algorithm>

namespace muster::verify {

void RatingBook::take_roster(Round round, const std::vector<protocol::RosterEntry>& roster) {
  if (round < next_roster_) return;
  next_roster_ = round.next();
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

void RatingBook::take(std::span<const protocol::Evaluation> evaluations) {
  while (!evaluations.empty()) {
    const Round round = evaluations.front().round;
    const auto end = std::ranges::find_if(
        evaluations, [&](const auto& evaluation) { return evaluation.round != round; });
    const auto count = static_cast<std::size_t>(end - evaluations.begin());
    take_round(evaluations.first(count));
    evaluations = evaluations.subspan(count);
  }
}

namespace {

// A validator without any time goes on by one measurement a round, so that what it pays for fades
// all the same.
double turn_of(std::span<const protocol::Evaluation> evaluations) {
  const auto count = [&](protocol::Basis basis) {
    return static_cast<double>(
        std::ranges::count(evaluations, basis, &protocol::Evaluation::basis));
  };
  const double measured = count(protocol::Basis::kMeasured);
  const double measurable = measured + count(protocol::Basis::kUnmeasured);
  return measurable > 0 ? std::max(1.0, measured) / measurable : 0;
}

}  // namespace

void RatingBook::take_round(std::span<const protocol::Evaluation> evaluations) {
  const double turn = turn_of(evaluations);
  for (const auto& evaluation : evaluations) {
    const auto holder = holders_.find(evaluation.uid);
    if (holder == holders_.end() || evaluation.round < holder->second.since) continue;
    // Who holds the uid stays known: evaluations that come together, some rounds later, must do
    // what they do one by one.
    const auto rating = ratings_.try_emplace(holder->second.hotkey).first;
    rating->second.take(evaluation, turn);
    if (rating->second.is_gone()) ratings_.erase(rating);
  }
  if (const auto present = yardstick().present()) trailing_.take(*present);
}

const Rating* RatingBook::find(Uid uid) const {
  const auto holder = holders_.find(uid);
  if (holder == holders_.end()) return nullptr;
  const auto rating = ratings_.find(holder->second.hotkey);
  return rating == ratings_.end() ? nullptr : &rating->second;
}

bool RatingBook::holds(Uid uid, const PublicKey& hotkey) const {
  const auto holder = holders_.find(uid);
  return holder != holders_.end() && holder->second.hotkey == hotkey;
}

Measurable RatingBook::measurable(Uid uid) const {
  const Rating* rated = find(uid);
  const Rating rating = rated == nullptr ? Rating() : *rated;
  return {uid, rating.uncertainty(), rating.evaluations() < kEvaluationsBeforePay};
}

std::map<PublicKey, protocol::Standing> RatingBook::standings() const {
  std::map<PublicKey, protocol::Standing> standings;
  const Yardstick by = yardstick();
  for (const auto& [hotkey, value] : verify::standings(ratings_, by))
    standings[hotkey] = {value, by.earned(ratings_.at(hotkey)) > 0};
  return standings;
}

std::vector<Uid> RatingBook::missing_from(const std::vector<protocol::RosterEntry>& roster) const {
  std::vector<Uid> missing;
  for (const auto& [uid, holder] : holders_) {
    const bool rated = ratings_.contains(holder.hotkey);
    const bool listed = std::any_of(roster.begin(), roster.end(),
                                    [uid = uid](const auto& entry) { return entry.uid == uid; });
    if (rated && !listed) missing.push_back(uid);
  }
  return missing;
}

void SealedBook::take_roster(Round round, std::vector<protocol::RosterEntry> roster) {
  if (round < next_roster_) return;
  next_roster_ = round.next();
  waiting_.emplace_back(round, std::move(roster));
  if (waiting_.size() > kRoundsKept) advance(waiting_.front().first.next());
}

void SealedBook::advance(Round before) {
  for (; !waiting_.empty() && waiting_.front().first < before; waiting_.pop_front()) {
    const auto& [round, roster] = waiting_.front();
    missing_[round] = book_.missing_from(roster);
    if (missing_.size() > kRoundsKept) missing_.erase(missing_.begin());
    book_.take_roster(round, roster);
  }
  next_assessment_ = std::max(next_assessment_, before);
}

void SealedBook::take(const protocol::Assessment& assessment) {
  if (assessment.round < next_assessment_) return;
  advance(assessment.round);
  book_.take(assessment.evaluations);
  next_assessment_ = assessment.round.next();
}

RatingBook SealedBook::current() const {
  RatingBook book = book_;
  for (const auto& [round, roster] : waiting_) book.take_roster(round, roster);
  return book;
}

std::vector<Uid> SealedBook::missing_in(Round round) const {
  const auto missing = missing_.find(round);
  return missing == missing_.end() ? std::vector<Uid>{} : missing->second;
}

}  // namespace muster::verify
