#include "protocol/messages.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "base/limits.h"
#include "state/tensor_groups.h"

namespace muster::protocol {

std::string_view name_of(MessageType type) {
  switch (type) {
    case MessageType::kReady:
      return "Ready";
    case MessageType::kRoundOpen:
      return "RoundOpen";
    case MessageType::kCommit:
      return "Commit";
    case MessageType::kReceipt:
      return "Receipt";
    case MessageType::kCommitsClosed:
      return "CommitsClosed";
    case MessageType::kReveal:
      return "Reveal";
    case MessageType::kRevealsClosed:
      return "RevealsClosed";
    case MessageType::kScreen:
      return "Screen";
    case MessageType::kManifest:
      return "Manifest";
    case MessageType::kAttest:
      return "Attest";
    case MessageType::kRoundResume:
      return "RoundResume";
    case MessageType::kDispute:
      return "Dispute";
    case MessageType::kFinished:
      return "Finished";
    case MessageType::kCheckpoint:
      return "Checkpoint";
    case MessageType::kJoined:
      return "Joined";
    case MessageType::kRestarted:
      return "Restarted";
    case MessageType::kRefused:
      return "Refused";
    case MessageType::kAssessment:
      return "Assessment";
  }
  return "unknown message";
}

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::kGather:
      return "GATHER";
    case Phase::kTrain:
      return "TRAIN";
    case Phase::kReveal:
      return "REVEAL";
    case Phase::kScreen:
      return "SCREEN";
    case Phase::kSealed:
      return "SEALED";
  }
  MUSTER_UNREACHABLE();
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccept:
      return "accept";
    case Verdict::kAbstain:
      return "abstain";
    case Verdict::kLowCosine:
      return "low cosine";
    case Verdict::kReplay:
      return "replay";
    case Verdict::kFreshNorm:
      return "fresh norm";
  }
  MUSTER_UNREACHABLE();
}

std::string_view name_of(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kAccepted:
      return "accepted";
    case OutcomeCode::kRejected:
      return "rejected";
    case OutcomeCode::kMissed:
      return "missed";
    case OutcomeCode::kKeyWithheld:
      return "key withheld";
    case OutcomeCode::kWrongKey:
      return "wrong key";
    case OutcomeCode::kMalformed:
      return "malformed";
    case OutcomeCode::kOtherSequences:
      return "sequences not as assigned";
    case OutcomeCode::kBelowMinimumNorm:
      return "below minimum norm";
    case OutcomeCode::kEquivocated:
      return "equivocated";
    case OutcomeCode::kAboveMaximumNorm:
      return "above maximum norm";
  }
  MUSTER_UNREACHABLE();
}

std::string_view name_of(Basis basis) {
  switch (basis) {
    case Basis::kMeasured:
      return "measured";
    case Basis::kUnmeasured:
      return "not measured";
    case Basis::kAbsent:
      return "absent";
    case Basis::kFault:
      return "broke the protocol";
    case Basis::kRejected:
      return "rejected";
  }
  MUSTER_UNREACHABLE();
}

std::string_view name_of(DisputeReason reason) {
  switch (reason) {
    case DisputeReason::kStateRoot:
      return "state root";
    case DisputeReason::kAggregate:
      return "aggregate";
    case DisputeReason::kForkedClose:
      return "forked close";
    case DisputeReason::kCensored:
      return "censored";
    case DisputeReason::kTally:
      return "tally";
    case DisputeReason::kRoster:
      return "roster";
  }
  MUSTER_UNREACHABLE();
}

namespace {

template <class Entry>
Status ascending_by_uid(const std::vector<Entry>& entries, std::string_view where) {
  if (entries.size() > limits::kRosterMax)
    return Error{Errc::kTooLarge, std::string(where) + ": over 256 entries"};
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (!(entries[i - 1].uid < entries[i].uid))
      return Error{Errc::kMalformed, std::string(where) + ": not strictly ascending by uid"};
  }
  return {};
}

constexpr std::size_t kPlatformClassMax = 256;

bool finite_and_not_negative(double value) { return std::isfinite(value) && value >= 0; }

}  // namespace

Status validate(const RoundOpen& message) {
  return ascending_by_uid(message.roster, "RoundOpen roster");
}

Status validate(const Checkpoint& message) {
  if (message.attestations.size() > limits::kRosterMax)
    return Error{Errc::kTooLarge, "Checkpoint: over 256 attestations"};
  return {};
}

Status validate(const Assessment& message) {
  if (message.evaluations.size() > limits::kEvaluationsMax)
    return Error{Errc::kTooLarge,
                 "Assessment: over " + std::to_string(limits::kEvaluationsMax) + " evaluations"};
  for (const Evaluation& evaluation : message.evaluations)
    if (evaluation.scores.groups_e3.size() > state::kTensorGroupsMax)
      return Error{Errc::kTooLarge, "Assessment: scores of over " +
                                        std::to_string(state::kTensorGroupsMax) + " tensor groups"};
  const auto ordered = [](const Evaluation& a, const Evaluation& b) {
    return std::tie(a.round, a.uid) < std::tie(b.round, b.uid);
  };
  for (std::size_t i = 1; i < message.evaluations.size(); ++i) {
    if (!ordered(message.evaluations[i - 1], message.evaluations[i]))
      return Error{Errc::kMalformed, "Assessment: evaluations not ascending by round and uid"};
  }
  if (message.platform_class.size() > kPlatformClassMax)
    return Error{Errc::kTooLarge, "Assessment: a platform class of over " +
                                      std::to_string(kPlatformClassMax) + " bytes"};
  return ascending_by_uid(message.weights, "Assessment weights");
}

Status validate(const Screen& message) {
  std::size_t evaluations = 0;
  for (const Assessment& opened : message.opened) {
    MUSTER_TRY_STATUS(validate(opened));
    evaluations += opened.evaluations.size();
  }
  if (evaluations > limits::kEvaluationsMax || message.opened.size() > limits::kOpenedMax)
    return Error{Errc::kTooLarge, "Screen: opens over " + std::to_string(limits::kEvaluationsMax) +
                                      " evaluations, or over " +
                                      std::to_string(limits::kOpenedMax) + " assessments"};
  for (std::size_t i = 1; i < message.opened.size(); ++i) {
    if (!(message.opened[i - 1].round < message.opened[i].round))
      return Error{Errc::kMalformed, "Screen: assessments not ascending by round"};
  }
  if (message.sealed_copy.size() > limits::kSealedCopyBytesMax)
    return Error{Errc::kTooLarge, "Screen: a sealed copy of over " +
                                      std::to_string(limits::kSealedCopyBytesMax) + " bytes"};
  if (message.reviews.size() > kReviewsMax)
    return Error{Errc::kTooLarge, "Screen: over " + std::to_string(kReviewsMax) + " reviews"};
  if (std::ranges::adjacent_find(message.reviews, std::greater_equal<>()) != message.reviews.end())
    return Error{Errc::kMalformed, "Screen: reviews not strictly ascending"};
  return ascending_by_uid(message.entries, "Screen entries");
}

Status validate(const Manifest& message) {
  if (!finite_and_not_negative(message.median_norm) || !finite_and_not_negative(message.clip_norm))
    return Error{Errc::kNonFinite, "Manifest: median or clip norm"};
  if (message.codes.size() > limits::kRosterMax || message.screens.size() > limits::kRosterMax)
    return Error{Errc::kTooLarge, "Manifest: over 256 outcomes or Screens"};
  if (message.standings.size() != message.codes.size())
    return Error{Errc::kMalformed, "Manifest: not as many standings as outcomes"};
  if (std::ranges::adjacent_find(message.screens, std::greater_equal<>(),
                                 &RecordedScreen::validator) != message.screens.end())
    return Error{Errc::kMalformed, "Manifest: validators not strictly ascending by uid"};
  if (message.contradictions.size() > message.screens.size() * kReviewsMax)
    return Error{Errc::kTooLarge, "Manifest: more contradictions than its Screens can have"};
  if (std::ranges::adjacent_find(message.contradictions, std::greater_equal<>()) !=
      message.contradictions.end())
    return Error{Errc::kMalformed, "Manifest: contradictions not strictly ascending"};
  return {};
}

Status validate(const SealRecord& record) {
  for (const Outcome& outcome : record.outcomes) {
    if (!finite_and_not_negative(outcome.norm) || !finite_and_not_negative(outcome.weight))
      return Error{Errc::kNonFinite,
                   "seal record: norm or weight of uid " + std::to_string(outcome.uid.value)};
  }
  if (record.screens.size() > limits::kRosterMax || record.evidence.size() > limits::kEvidenceMax)
    return Error{Errc::kTooLarge, "seal record: more Screens or evidence than a roster can give"};
  return ascending_by_uid(record.outcomes, "seal record outcomes");
}

const RecordedScreen* find_screen(const Manifest& manifest, Uid validator) {
  const auto found =
      std::ranges::lower_bound(manifest.screens, validator, {}, &RecordedScreen::validator);
  return found != manifest.screens.end() && found->validator == validator ? &*found : nullptr;
}

const RosterEntry* find_in_roster(const RoundOpen& open, const PublicKey& hotkey) {
  for (const RosterEntry& entry : open.roster)
    if (entry.hotkey == hotkey) return &entry;
  return nullptr;
}

const RosterEntry* find_in_roster(const RoundOpen& open, Uid uid) {
  for (const RosterEntry& entry : open.roster)
    if (entry.uid == uid) return &entry;
  return nullptr;
}

std::uint64_t miner_count(const RoundOpen& open) {
  if (open.excerpt) return open.excerpt->count;
  return static_cast<std::uint64_t>(
      std::ranges::count(open.roster, Role::kMiner, &RosterEntry::role));
}

std::optional<std::size_t> miner_rank(const RoundOpen& open, Uid uid) {
  std::size_t rank = 0;
  for (const RosterEntry& entry : open.roster) {
    if (entry.role != Role::kMiner) continue;
    if (entry.uid == uid) return open.excerpt ? *open.excerpt->rank : rank;
    ++rank;
  }
  return std::nullopt;
}

std::optional<OutcomeCode> outcome_of(const Manifest& manifest, const RoundOpen& open, Uid uid) {
  const auto rank = miner_rank(open, uid);
  return rank ? std::optional(manifest.codes[*rank]) : std::nullopt;
}

}  // namespace muster::protocol
