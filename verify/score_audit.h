// ScoreAudit: every validator's evaluations, ratings, standings and weights, made again from its
// signed Screens.
//
// Evaluations must follow from the manifest of the round that they are about and from the
// validator's own verdicts (verify/evaluation.h); weights from all evaluations that it sealed,
// standings from those that it opened (verify/rating_book.h). What is opened must be what was
// sealed, and nothing that is due may stay sealed. Memory is a few rounds of facts and the
// validators' books. Thread safety: none; one owner.
#pragma once

#include <deque>

#include "verify/audit_report.h"
#include "verify/audited_round.h"
#include "verify/evaluation.h"
#include "verify/rating_book.h"

namespace muster::verify {

class ScoreAudit {
 public:
  struct Validator {
    Uid uid;            // in the last roster that had it
    SealedBook sealed;  // of the assessments that it opened
    RatingBook
        opened;  // the same, in the order in which it opened them: what standings follow from
    std::map<Round, Hash> unopened;    // hashes of assessments
    std::map<Round, Hash> reopenable;  // of the last kRoundsKept that were opened
    std::optional<Round> last_screen;
    // Of what it opened so far.
    [[nodiscard]] RatingBook book() const { return sealed.current(); }
    std::uint64_t verdicts = 0,
                  outvoted = 0;  // that were no abstention; that the tally went against
  };

  // A sealed round, in order: an observer of Audit.
  [[nodiscard]] Status take(const AuditedRound& round, AuditReport& report);

  [[nodiscard]] const std::map<PublicKey, Validator>& validators() const { return validators_; }
  // The hotkeys of miners by uid in the last roster.
  [[nodiscard]] const std::map<Uid, PublicKey>& miners() const { return miners_; }

 private:
  // What evaluations of a round are held against.
  struct Facts {
    Round round;
    std::string nobodys;  // why the round is nobody's evaluation; empty: it is
    std::map<Uid, PublicKey> hotkeys;
    Hash late_beacon;
    SealedFacts sealed;  // without any validator's verdicts
    struct Judge {
      bool promised = false;
      protocol::Secret secret{};
      std::map<Uid, protocol::Verdict> verdicts;
    };
    std::map<PublicKey, Judge> judges;  // validators with a Screen in the manifest
    std::map<PublicKey, std::vector<protocol::Evaluation>> evaluations;  // signed so far
  };
  // Evaluations that come later than that many rounds are not held against the manifest.
  static constexpr std::size_t kRoundsKept = SealedBook::kRoundsKept;

  struct Place {
    const AuditedRound& round;
    const AuditedScreen& screen;
    AuditReport& report;
    void fail(Check check, std::string what, std::string expected, std::string found) const;
  };
  void take_opened(const Place& place, Validator& validator);
  void take_assessment(const Place& place, Validator& validator,
                       const protocol::Assessment& assessment);
  void check_evaluations(const Place& place, Facts& facts, const Validator& validator,
                         std::vector<protocol::Evaluation> found);
  void check_draw(const Place& place, const Facts& facts, const Validator& validator,
                  const std::vector<protocol::Evaluation>& evaluations) const;
  void check_weights(const Place& place, const Validator& validator,
                     const protocol::Assessment& assessment);
  void check_standings(const Place& place, const Validator& validator) const;
  static void count_verdicts(const AuditedScreen& screen, const Facts& facts, Validator& validator);
  [[nodiscard]] Facts* find_facts(Round round);

  std::map<PublicKey, Validator> validators_;
  std::map<Uid, PublicKey> miners_;
  std::deque<Facts> facts_;  // ascending by round
};

}  // namespace muster::verify
