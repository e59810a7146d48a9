// RatingBook: the ratings of all miners that one validator has evaluated, by hotkey.
//
// A pure function of the rosters and of the evaluations that the validator signed, in order: its
// own core keeps one, and so does whoever audits it. Per sealed round: the evaluations in the
// validator's Screen, from which the standings and weights in that Screen follow; then the round's
// roster. A uid that changes hands begins anew, and so does a hotkey that returns under another uid
// or after it was gone. SealedBook: the same in the order in which the validator's assessments were
// sealed, though others learn of them rounds later. Thread safety: none; values.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/limits.h"
#include "verify/draws.h"
#include "verify/rating.h"

namespace muster::verify {

class RatingBook {
 public:
  // Who has which uid in `round`. Rounds ascend: a round that was taken, or an earlier one, changes
  // nothing.
  void take_roster(Round round, const std::vector<protocol::RosterEntry>& roster);
  // Evaluations of whole rounds, ascending by round. Ignored: a uid that no roster had in that
  // round, and what Rating::take ignores.
  void take(std::span<const protocol::Evaluation> evaluations);

  [[nodiscard]] const Ratings& ratings() const { return ratings_; }
  [[nodiscard]] Yardstick yardstick() const { return Yardstick(ratings_, trailing_.value()); }
  // For the ledger, of every rated miner: verify::weights().
  [[nodiscard]] std::map<PublicKey, std::uint16_t> weights() const {
    return verify::weights(ratings_, yardstick());
  }
  [[nodiscard]] const Rating* find(Uid uid) const;
  // Whether `hotkey` is the last one that a roster had under this uid.
  [[nodiscard]] bool holds(Uid uid, const PublicKey& hotkey) const;
  // What the draw of who is measured takes of a miner, rated or not.
  [[nodiscard]] Measurable measurable(Uid uid) const;
  // Of every rated miner: verify::standings(), and whether it is paid. Who is evaluated and earns
  // nothing is not proven: a crowd that sends noise is never what newcomers are held against.
  [[nodiscard]] std::map<PublicKey, protocol::Standing> standings() const;
  // Rated miners that `roster` lacks, ascending.
  [[nodiscard]] std::vector<Uid> missing_from(
      const std::vector<protocol::RosterEntry>& roster) const;

 private:
  void take_round(std::span<const protocol::Evaluation> evaluations);
  struct Holder {
    PublicKey hotkey;
    Round since;
  };
  Round next_roster_;
  std::map<Uid, Holder> holders_;
  std::map<PublicKey, Uid> uids_;  // the inverse
  Ratings ratings_;
  TrailingReference trailing_;
};

class SealedBook {
 public:
  // Of a sealed round; rounds ascend. It waits for the assessments of that round and of those
  // before, for kRoundsKept rounds.
  void take_roster(Round round, std::vector<protocol::RosterEntry> roster);
  // No assessment of a round before this one comes any more.
  void advance(Round before);
  // One whose hash a sealed Screen had. Ascending by round: another of a round that was taken, or
  // of an earlier one, changes nothing.
  void take(const protocol::Assessment& assessment);

  // As it was when the last assessment that was taken was sealed, or at the round advanced to.
  [[nodiscard]] const RatingBook& book() const { return book_; }
  // With all rosters since.
  [[nodiscard]] RatingBook current() const;
  // Rated miners that the roster of a round lacked, where it does not wait any more; of the last
  // kRoundsKept.
  [[nodiscard]] std::vector<Uid> missing_in(Round round) const;
  static constexpr std::size_t kRoundsKept = 16 + limits::kSealedRoundsMax;

 private:
  RatingBook book_;
  Round next_assessment_, next_roster_;  // none before it is taken
  std::deque<std::pair<Round, std::vector<protocol::RosterEntry>>> waiting_;
  std::map<Round, std::vector<Uid>> missing_;
};

}  // namespace muster::verify
