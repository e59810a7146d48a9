// The typed control messages of a round. docs/protocol.md says when each is sent.
//
// Run, round and parent manifest stand in the envelope, not here. Vectors keyed by uid are strictly
// ascending by uid; validate() of each message says so and bounds the rest.
// Thread safety: values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/cipher.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"
#include "protocol/ledger_head.h"
#include "protocol/weight.h"

namespace muster::protocol {

enum class MessageType : std::uint8_t {
  kReady = 1,
  kRoundOpen,
  kCommit,
  kReceipt,
  kCommitsClosed,
  kReveal,
  kRevealsClosed,
  kScreen,
  kManifest,
  kAttest,
  kRoundResume,
  kDispute,
  kFinished,
  kCheckpoint,
  kJoined,
  kRestarted,
  kRefused,
  kAssessment,
};
[[nodiscard]] std::string_view name_of(MessageType type);

// The steps of a round, in order.
enum class Phase : std::uint8_t { kGather, kTrain, kReveal, kScreen, kSealed };
constexpr std::uint8_t enum_count(Phase) { return 5; }
[[nodiscard]] std::string_view name_of(Phase phase);

using Secret = std::array<std::uint8_t, 32>;

// A node is at `state_id`, wants to join the envelope's round, and has seen that round up to
// `seen`. Sent on start, after every round and whenever nothing was heard for a while; the answer
// is whatever the node is missing. The only message that may differ from an earlier one of its
// round.
struct Ready {
  static constexpr MessageType kType = MessageType::kReady;
  Role role = Role::kMiner;
  Hash state_id = {};
  Hash theta_root = {};  // of the node's own parameters, hashed by itself
  // Validators: of the secrets for the two rounds after this one. The second counts when this round
  // is open already without the node, which is then in the next roster.
  std::array<Hash, 2> next_secret_hashes = {};
  Phase seen = Phase::kGather;
  bool takes_checkpoint = false;               // instead of a replay of many rounds
  std::optional<LedgerHead> ledger_head = {};  // the newest that the node knows
  template <class Archive>
  void serialize(Archive& archive) {
    archive(role, state_id, theta_root, next_secret_hashes[0], next_secret_hashes[1], seen,
            takes_checkpoint, ledger_head);
  }
};

struct RosterEntry {
  Uid uid;
  PublicKey hotkey;
  Role role = Role::kMiner;
  std::uint64_t stake = 0;  // rao
  Hash next_secret_hash;    // validators
  bool operator==(const RosterEntry&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid, hotkey, role, stake, next_secret_hash);
  }
};

// What a miner's form of a message has of its list of all miners' items (protocol/miner_form.h):
// how long the list is, and the place in it of the one item that is here, if one is.
struct Excerpt {
  std::uint32_t count = 0;
  std::optional<std::uint32_t> rank = {};
  bool operator==(const Excerpt&) const = default;
};

// Its miners are a list that a miner's form has an excerpt of.
struct RoundOpen {
  static constexpr MessageType kType = MessageType::kRoundOpen;
  Hash state_id;
  std::uint64_t ledger_block = 0;  // whose metagraph the roster's uids, roles and stakes are from
  Hash ledger_block_hash;
  std::optional<Signature> ledger_signature = {};  // the ledger's, of that block
  std::vector<RosterEntry> roster;                 // by uid
  Hash beacon;
  std::uint64_t epoch = 0;   // of the data permutation
  std::uint64_t cursor = 0;  // first position of this round's slices
  std::uint32_t train_ms = 0;
  std::uint32_t reveal_ms = 0;
  std::uint32_t screen_ms = 0;
  std::vector<Bytes> attestations;      // Attest envelopes about the parent manifest
  std::optional<Excerpt> excerpt = {};  // of the roster's miners; none: all of them are here
};

struct Commit {
  static constexpr MessageType kType = MessageType::kCommit;
  Hash payload_id;  // of the sealed blob
  Hash key_hash;    // protocol/sealed_payload.h
  std::uint64_t payload_bytes = 0;
  std::uint32_t sequences_used = 0;
  std::uint32_t inner_steps = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(payload_id, key_hash, payload_bytes, sequences_used, inner_steps);
  }
};

enum class ReceiptFor : std::uint8_t { kCommit, kBlob, kReveal, kScreen };
constexpr std::uint8_t enum_count(ReceiptFor) { return 4; }

// The coordinator has it, durably, in time. `subject`: hash of the message, or the blob's id.
struct Receipt {
  static constexpr MessageType kType = MessageType::kReceipt;
  ReceiptFor what = ReceiptFor::kCommit;
  Hash subject;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(what, subject);
  }
};

// Its commits are a list that a miner's form has an excerpt of.
struct CommitsClosed {
  static constexpr MessageType kType = MessageType::kCommitsClosed;
  std::vector<Bytes> commits;           // Commit envelopes whose blobs are complete, by uid
  Hash commit_root;                     // commit_root_of(commits)
  std::optional<Excerpt> excerpt = {};  // of the commits; none: all of them are here
};

struct Reveal {
  static constexpr MessageType kType = MessageType::kReveal;
  CipherKey key{};
  Hash commit_root = {};  // of the close that it answers: it opens a payload in no other
  template <class Archive>
  void serialize(Archive& archive) {
    archive(key, commit_root);
  }
};

struct RevealsClosed {
  static constexpr MessageType kType = MessageType::kRevealsClosed;
  Hash commit_root;
  std::vector<Bytes> reveals;  // Reveal envelopes, by uid
  template <class Archive>
  void serialize(Archive& archive) {
    archive(commit_root, reveals);
  }
};

enum class Verdict : std::uint8_t { kAccept, kAbstain, kLowCosine, kReplay, kFreshNorm };
constexpr std::uint8_t enum_count(Verdict) { return 5; }
[[nodiscard]] std::string_view name_of(Verdict verdict);
[[nodiscard]] constexpr bool is_rejection(Verdict verdict) {
  return verdict != Verdict::kAccept && verdict != Verdict::kAbstain;
}

struct ScreenEntry {
  Uid uid;
  bool held = false;           // this validator had the payload
  std::int16_t cosine_e4 = 0;  // cosine with the screening gradient × 10⁴
  Verdict verdict = Verdict::kAbstain;
  // From what this validator has opened so far, with this Screen.
  std::uint16_t standing = 0;  // 0..65535, in the aggregate
  bool proven = false;         // Standing::proven
  bool operator==(const ScreenEntry&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid, held, cosine_e4, verdict, standing, proven);
  }
};

// What a miner's evaluation of a round rests on.
enum class Basis : std::uint8_t {
  kMeasured,    // its payload was scored
  kUnmeasured,  // it delivered; the validator had no time to score it
  kAbsent,      // it delivered nothing: not in the roster, or no complete commit in time
  kFault,       // it broke the protocol; counts as the worst score
  kRejected,    // this validator's screen rejected its payload; counts as the worst score
};
constexpr std::uint8_t enum_count(Basis) { return 5; }
[[nodiscard]] std::string_view name_of(Basis basis);

// How well each part of a payload's fresh part tells its miner's sequences from random ones, ×
// 1000: 0 for who did not train on them, at most 760 (verify/score.h).
struct Scores {
  std::int16_t all_e3 = 0;                    // everything together
  std::array<std::int16_t, 4> quarters_e3{};  // by quarters of the positions
  std::vector<std::int16_t> groups_e3 = {};   // by tensor groups (state/tensor_groups.h)
  bool operator==(const Scores&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(all_e3, quarters_e3[0], quarters_e3[1], quarters_e3[2], quarters_e3[3], groups_e3);
  }
};

struct Evaluation {
  Uid uid;
  Round round;
  Basis basis = Basis::kMeasured;
  Scores scores = {};              // kMeasured
  std::int32_t drop_e6 = 0;        // kMeasured: relative loss drop on the shared sequences × 10⁶
  std::int32_t drop_error_e6 = 0;  // its standard error × 10⁶, not negative
  bool gate_passed = false;        // kMeasured
  bool operator==(const Evaluation&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid, round, basis, scores, drop_e6, drop_error_e6, gate_passed);
  }
};

struct MinerWeight {
  Uid uid;
  std::uint16_t weight = 0;  // 0..65535, as for the ledger
  bool operator==(const MinerWeight&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid, weight);
  }
};

// What a validator found out about the miners, and what it would pay them for it. A Screen has its
// hash (protocol/assessment.h), a later Screen opens it: nobody can copy it in time. In the
// validator's own journal from before its Screen is signed.
struct Assessment {
  static constexpr MessageType kType = MessageType::kAssessment;
  Round round;  // of the Screen that has its hash
  Secret salt{};
  // Of what no earlier Screen that was sealed has the hash; ascending by round, then uid.
  std::vector<Evaluation> evaluations;
  std::vector<MinerWeight> weights;  // of who committed in `round`, by uid
  std::string platform_class;        // that measured
  bool operator==(const Assessment&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(round, salt, evaluations, weights, platform_class);
  }
};

// A validator measured a payload with another validator's draws, before that one's evaluation of it
// was opened, and says whether the evaluation is what it measured (verify/reviews.h).
struct Review {
  PublicKey validator;  // whose evaluation
  Round round;          // of the payload
  Uid miner;
  bool contradicts = false;
  auto operator<=>(const Review&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(validator, round, miner, contradicts);
  }
};
inline constexpr std::size_t kReviewsMax = 16;  // in one Screen

struct Screen {
  static constexpr MessageType kType = MessageType::kScreen;
  Hash commit_root;
  Secret secret{};  // whose hash stands in the parent round's roster
  std::vector<ScreenEntry> entries;
  Hash assessment;                   // of this round's
  std::vector<Assessment> opened;    // ascending by round
  std::vector<Review> reviews = {};  // ascending
  Bytes sealed_copy =
      {};  // seal_copy() of this round's, which only its validator can read; may be left out
  template <class Archive>
  void serialize(Archive& archive) {
    archive(commit_root, secret, entries, assessment, opened, reviews, sealed_copy);
  }
};

enum class OutcomeCode : std::uint8_t {
  kAccepted,
  kRejected,        // by validators holding more than half of the active weight
  kMissed,          // no complete commit in time; nobody's judgement
  kKeyWithheld,     // committed, did not reveal
  kWrongKey,        // the key does not match the commit
  kMalformed,       // does not open or decode, or is not in the round's format
  kOtherSequences,  // fewer than the protocol's minimum, or more than assigned
  kBelowMinimumNorm,
  kEquivocated,
  kAboveMaximumNorm,  // ChainHead::norm_max()
};
constexpr std::uint8_t enum_count(OutcomeCode) { return 10; }
[[nodiscard]] std::string_view name_of(OutcomeCode code);

struct Outcome {
  Uid uid;
  OutcomeCode code = OutcomeCode::kMissed;
  Hash payload_id;
  double norm = 0;
  std::uint16_t standing = 0;
  float weight = 0;              // aᵢ: the factor of this payload in the aggregate
  std::uint32_t arrival_ms = 0;  // commit and blob complete, after OPEN
  bool proven = false;           // Standing::proven
  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid, code, payload_id, norm, standing, weight, arrival_ms, proven);
  }
};

// Two different messages of one sender that may exist only once: proof of equivocation.
struct Evidence {
  Bytes first;
  Bytes second;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(first, second);
  }
};

// What a manifest rests on, beside it as a blob: protocol/seal_record.h.
struct SealRecord {
  std::vector<Outcome> outcomes;   // of every miner of the roster, by uid
  std::vector<Bytes> screens;      // Screen envelopes verbatim, by uid
  std::vector<Evidence> evidence;  // at most one of each sender and kind of message
};

// A Screen that is in the record.
struct RecordedScreen {
  Uid validator;
  Hash assessment;           // that it seals
  std::uint32_t opened = 0;  // ChainHead::opened_by()
  bool operator==(const RecordedScreen&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(validator, assessment, opened);
  }
};

// In a Screen of this round one validator contradicts another.
struct Contradiction {
  Uid by, of;
  auto operator<=>(const Contradiction&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(by, of);
  }
};

// What everybody needs to go on. Its size depends on the roster, and on nothing that a miner sent.
struct Manifest {
  static constexpr MessageType kType = MessageType::kManifest;
  Hash open_hash;     // of the RoundOpen
  Hash reveals_hash;  // of the RevealsClosed
  Hash commit_root;
  bool null_round = false;  // too few participants: θ and the downlink residual stay
  Hash state_id_before;
  Hash state_id_after;
  Hash aggregate_id;       // zero in a null round
  double median_norm = 0;  // M
  double clip_norm = 0;    // c
  Hash next_beacon;
  std::uint64_t next_epoch = 0;
  std::uint64_t next_cursor = 0;
  // Of those who committed, miners with more than half of the weight showed their keys; also when
  // nobody committed. If not, something was wrong with the round, and it is nobody's evaluation.
  bool most_revealed = true;
  Hash record_id;                       // blob of the SealRecord
  std::vector<OutcomeCode> codes;       // of every miner of the roster, by uid
  std::vector<Standing> standings;      // likewise, after this round's tally
  std::vector<RecordedScreen> screens;  // ascending by validator
  // protocol::tail_ms() of the arrivals; none when nobody delivered.
  std::optional<std::uint32_t> tail_ms;
  // Median loss drop, in millionths, of the round whose evaluations were due to be opened, if most
  // Screens by weight have one.
  std::optional<std::int32_t> median_drop_e6;
  std::vector<Contradiction> contradictions = {};  // ascending
  template <class Archive>
  void serialize(Archive& archive) {
    archive(open_hash, reveals_hash, commit_root, null_round, state_id_before, state_id_after,
            aggregate_id, median_norm, clip_norm, next_beacon, next_epoch, next_cursor,
            most_revealed, record_id, codes, standings, screens, tail_ms, median_drop_e6,
            contradictions);
  }
};

// A validator's word on the state after `manifest_hash`, each part computed by itself.
struct Attest {
  static constexpr MessageType kType = MessageType::kAttest;
  Hash manifest_hash;
  Hash state_id;
  Hash theta_root;
  Hash downlink_root;
  Hash head_hash = {};                         // ChainHead::hash()
  std::optional<LedgerHead> ledger_head = {};  // the newest that the validator knows
  bool operator==(const Attest&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(manifest_hash, state_id, theta_root, downlink_root, head_hash, ledger_head);
  }
};

// The state before the envelope's round is to be had as a blob; protocol/checkpoint.h.
struct Checkpoint {
  static constexpr MessageType kType = MessageType::kCheckpoint;
  Hash blob_id;
  std::vector<Bytes> attestations;  // Attest envelopes about the envelope's parent manifest
  template <class Archive>
  void serialize(Archive& archive) {
    archive(blob_id, attestations);
  }
};

// After a coordinator's restart: the round goes on, with new durations for the phase it was in. Who
// gets it sends again what it sent in this round, and hands back what the coordinator itself signed
// of it beyond this phase: its folder may have been lost, or be an older copy.
struct RoundResume {
  static constexpr MessageType kType = MessageType::kRoundResume;
  Phase phase = Phase::kTrain;
  std::uint32_t remaining_ms = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(phase, remaining_ms);
  }
};

enum class DisputeReason : std::uint8_t {
  kStateRoot,
  kAggregate,
  kForkedClose,
  kCensored,
  kTally,
  kRoster
};
constexpr std::uint8_t enum_count(DisputeReason) { return 6; }
[[nodiscard]] std::string_view name_of(DisputeReason reason);

// A node says that the coordinator or the agreed state is wrong, with what proves it.
struct Dispute {
  static constexpr MessageType kType = MessageType::kDispute;
  DisputeReason reason = DisputeReason::kStateRoot;
  Hash expected;
  Hash found;
  std::vector<Bytes> proof;  // signed messages
  template <class Archive>
  void serialize(Archive& archive) {
    archive(reason, expected, found, proof);
  }
};

// Why the coordinator did not take a node's Ready. A text for the node's screen; nothing depends on
// it.
struct Refused {
  static constexpr MessageType kType = MessageType::kRefused;
  std::string reason;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(reason);
  }
};

// A node's record for itself, never sent: from here on it follows `head` (wire::encode of a
// HeadState), because it took a checkpoint or started over from the initial model. A coordinator's:
// its folder was rebuilt from the state before this round, which the Checkpoint record that follows
// names, and has no records of earlier rounds.
struct Joined {
  static constexpr MessageType kType = MessageType::kJoined;
  Bytes head;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(head);
  }
};

// A node's record for itself, never sent: it started again from a state that it had saved when its
// journal had `records` records. What stands between those and this record was not in the state and
// happens again.
struct Restarted {
  static constexpr MessageType kType = MessageType::kRestarted;
  std::uint64_t records = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(records);
  }
};

// The run has had its rounds; nodes whose θ has this root may leave.
struct Finished {
  static constexpr MessageType kType = MessageType::kFinished;
  Hash state_id;
  Hash theta_root;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(state_id, theta_root);
  }
};

// What a decoder cannot see: order by uid, counts, ranges. Errors: kMalformed, kTooLarge,
// kNonFinite.
[[nodiscard]] Status validate(const RoundOpen& message);
[[nodiscard]] Status validate(const Checkpoint& message);
[[nodiscard]] Status validate(const Screen& message);
[[nodiscard]] Status validate(const Assessment& message);
[[nodiscard]] Status validate(const Manifest& message);
[[nodiscard]] Status validate(const SealRecord& record);
template <class Message>
[[nodiscard]] Status validate(const Message&) {
  return {};
}

// The number of miners in the roster, whether they are here or not.
[[nodiscard]] std::uint64_t miner_count(const RoundOpen& open);
// The place of the miner `uid` among the roster's miners, by uid; none: it is not here.
[[nodiscard]] std::optional<std::size_t> miner_rank(const RoundOpen& open, Uid uid);
// Null: not in the roster, or not here.
[[nodiscard]] const RosterEntry* find_in_roster(const RoundOpen& open, const PublicKey& hotkey);
[[nodiscard]] const RosterEntry* find_in_roster(const RoundOpen& open, Uid uid);
// Null: no Screen of this validator is in the record.
[[nodiscard]] const RecordedScreen* find_screen(const Manifest& manifest, Uid validator);
// What the manifest says of the miner `uid` of `open`'s roster; none for anybody else.
// REQUIRES: fits_roster().
[[nodiscard]] std::optional<OutcomeCode> outcome_of(const Manifest& manifest, const RoundOpen& open,
                                                    Uid uid);
// A payload that everybody holds, whatever was then thought of it.
[[nodiscard]] constexpr bool was_delivered(OutcomeCode code) {
  return code != OutcomeCode::kMissed && code != OutcomeCode::kKeyWithheld;
}

}  // namespace muster::protocol
