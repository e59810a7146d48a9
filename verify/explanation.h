// Explanation: why a miner has the score and weight that it has, from what was signed: in numbers
// and in words.
//
// Collected round by round beside an audit (MinerStory), told at its end (explain). Memory: a few
// words per round for one miner. Thread safety: none for the story; explaining is pure.
#pragma once

#include <deque>

#include "verify/score_audit.h"

namespace muster::verify {

// Who is asked about: a uid, or the beginning of a hotkey in lower-case hex.
struct MinerSelector {
  std::optional<Uid> uid;
  std::string hotkey_prefix = {};
};

// One validator's word on the miner in a round.
struct RoundVoice {
  Uid validator;
  std::optional<protocol::Verdict> verdict;        // none: it did not have the payload
  double cosine = 0;                               // with its screening gradient
  std::optional<protocol::Evaluation> evaluation;  // signed later; none: not yet, or never
};

struct MinerRound {
  Round round;
  std::optional<protocol::OutcomeCode> outcome;  // none: not in the roster
  double norm = 0, clip_norm = 0;                // of the payload; of the round
  double weight = 0;                             // in the aggregate
  std::uint16_t standing = 0;
  std::uint32_t arrival_ms = 0;
  std::vector<RoundVoice> voices;
};

class MinerStory {
 public:
  // `round`: kept beside the last ones, whatever is asked of it.
  explicit MinerStory(MinerSelector selector, std::optional<Round> round = {})
      : selector_(std::move(selector)), wanted_(round) {}

  // A sealed round, in order: an observer of Audit.
  [[nodiscard]] Status take(const AuditedRound& round, AuditReport& report);

  static constexpr std::size_t kRoundsKept = 20;
  struct Content {
    Uid uid;
    PublicKey hotkey;
    Round first, last;                                        // since it was first in a roster
    std::map<protocol::OutcomeCode, std::uint64_t> outcomes;  // over all rounds
    std::uint64_t absent = 0;                                 // not in the roster
    std::deque<MinerRound> recent;                            // the last ones, ascending
    std::optional<MinerRound> wanted;
  };
  // Errors: kNotFound (no such miner in any roster), kInvalidArgument (a prefix that several
  // hotkeys have).
  [[nodiscard]] Result<Content> content() const;

 private:
  [[nodiscard]] const protocol::RosterEntry* find(const protocol::RoundOpen& open);
  void add_evaluations(const AuditedRound& round);
  MinerSelector selector_;
  std::optional<Round> wanted_;
  std::optional<Content> content_;
  bool ambiguous_ = false;
};

// How one validator's ratings stand to the miner.
struct ValidatorView {
  Uid validator;
  PublicKey hotkey;
  std::uint32_t evaluations = 0;  // measured, or faults
  double mean = 0;                // of the score
  double lower_bound = 0;
  double others_mean = 0;  // median of the other proven miners'
  double presence = 1;
  bool gate_failed = false;
  bool is_useless = false;  // its loss drops are less than half of the others'
  // Of the best miners': what its parts are worth together, and its weakest part.
  double share = 0;
  double weakest_share = 0;
  std::size_t weakest_part = 0;  // as Rating::parts() counts
  double earned = 0;             // of a full weight, before scaling to the best
  std::uint16_t weight = 0;
  std::uint16_t standing = 0;
  std::size_t rank = 0;    // by weight, from 1
  std::size_t miners = 0;  // rated
  std::size_t sealed = 0;  // of the validator's last Screens, those whose assessments are not open
                           // yet: all above is without them
};

// What would raise the weight that `view` gives `miner`, the most important first; at least one
// line.
[[nodiscard]] std::vector<std::string> advice(const MinerStory::Content& miner,
                                              const ValidatorView& view);

struct Explanation {
  MinerStory::Content miner;
  std::vector<ValidatorView> views;
  std::vector<std::string> lines;  // all of it in words
};

// `validator`: only its view. `round`: that round instead of the last ones; it must be one that the
// story kept. Errors: content()'s; kNotFound (no such validator or round).
[[nodiscard]] Result<Explanation> explain(const MinerStory& story, const ScoreAudit& scores,
                                          std::optional<Uid> validator = {},
                                          std::optional<Round> round = {});

}  // namespace muster::verify
