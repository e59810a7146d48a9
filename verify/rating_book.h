// RatingBook: the ratings of all miners that one validator has evaluated, by hotkey.
//
// A pure function of the rosters and of the evaluations that the validator signed, in order: its own core
// keeps one, and so does whoever audits it. Per sealed round: the evaluations in the validator's Screen,
// from which the standings and weights in that Screen follow; then the round's roster. A uid that changes
// hands begins anew, and so does a hotkey that returns under another uid or after it was gone.
// Thread safety: none; a value.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "verify/draws.h"
#include "verify/rating.h"

namespace muster::verify {

class RatingBook {
 public:
  // Who has which uid in `round`. Rounds ascend: a round that was taken, or an earlier one, changes nothing.
  void take_roster(Round round, const std::vector<protocol::RosterEntry>& roster);
  // Evaluations of whole rounds, ascending by round. Ignored: a uid that no roster had in that round, and what
  // Rating::take ignores.
  void take(std::span<const protocol::Evaluation> evaluations);

  [[nodiscard]] const Ratings& ratings() const { return ratings_; }
  [[nodiscard]] Yardstick yardstick() const { return Yardstick(ratings_, trailing_.value()); }
  // For the ledger, of every rated miner: verify::weights().
  [[nodiscard]] std::map<PublicKey, std::uint16_t> weights() const { return verify::weights(ratings_, yardstick()); }
  [[nodiscard]] const Rating* find(Uid uid) const;
  // Whether `hotkey` is the last one that a roster had under this uid.
  [[nodiscard]] bool holds(Uid uid, const PublicKey& hotkey) const;
  // What the draw of who is measured takes of a miner, rated or not.
  [[nodiscard]] Measurable measurable(Uid uid) const;
  // Of every rated miner: verify::standings(), and whether it is paid. Who is evaluated and earns nothing is not proven:
  // a crowd that sends noise is never what newcomers are held against.
  [[nodiscard]] std::map<PublicKey, protocol::Standing> standings() const;
  // Rated miners that `roster` lacks, ascending.
  [[nodiscard]] std::vector<Uid> missing_from(const std::vector<protocol::RosterEntry>& roster) const;

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

}  // namespace muster::verify
