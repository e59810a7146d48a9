// ChainHead: what the sealed manifests so far say about the next round.
//
// Coordinator, miners, validators and the audit all advance the same one, so they agree on beacon,
// data cursor, clipping history, grace period and who is expected without anybody announcing it.
// Its state is small, encodes canonically and is attested with θ, so a checkpoint can carry it
// instead of the history. Thread safety: a value.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "protocol/assignment.h"
#include "protocol/ledger_client.h"
#include "protocol/messages.h"
#include "protocol/params.h"
#include "protocol/signed_message.h"
#include "protocol/tally.h"

namespace muster::protocol {

// A member of the last round's roster.
struct HeadMember {
  PublicKey hotkey;
  Role role = Role::kMiner;
  Hash next_secret_hash;  // validators: promised for the coming round
  std::uint32_t missed_in_a_row = 0;
  Standing standing;  // miners: after the last round's tally
  template <class Archive>
  void serialize(Archive& archive) {
    archive(hotkey, role, next_secret_hash, missed_in_a_row, standing);
  }
};

// A contradiction that still counts, and the last round with it.
struct RememberedContradiction {
  PublicKey of, by;
  Round round;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(of, by, round);
  }
};

// What a Screen in the record sealed, and no later one has opened.
struct SealedAssessment {
  PublicKey validator;
  Round round;
  Hash hash;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(validator, round, hash);
  }
};

// A validator whose Screen did not open what was due, and the last round of one.
struct Withholding {
  PublicKey validator;
  Round round;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(validator, round);
  }
};

struct HeadState {
  Round round;
  Hash parent;
  Hash state_id;
  Hash beacon;
  std::uint64_t epoch = 0;
  std::uint64_t cursor = 0;
  std::uint32_t null_rounds = 0;        // in a row
  std::vector<double> medians;          // M of not null rounds, oldest first, at most 16
  std::uint32_t unscreened_rounds = 0;  // in a row without the Screen of a validator with weight
  std::vector<std::int32_t> drops;   // Manifest::median_drop_e6 of at most 16 rounds, oldest first
  std::vector<std::uint32_t> tails;  // Manifest::tail_ms of at most 16 rounds, oldest first
  std::vector<std::vector<PublicKey>> screened;  // validators, ascending, of at most 3 rounds
  std::vector<HeadMember> members;               // ascending by hotkey
  std::vector<RememberedContradiction> contradictions;  // ascending by (of, by)
  std::vector<SealedAssessment>
      sealed;  // of the last kVoteLostRounds rounds, ascending by (validator, round)
  std::vector<Withholding> withheld;  // of the last kVoteLostRounds rounds, ascending by validator
  template <class Archive>
  void serialize(Archive& archive) {
    archive(round, parent, state_id, beacon, epoch, cursor, null_rounds, medians, unscreened_rounds,
            drops, tails, screened, members, contradictions, sealed, withheld);
  }
};
// Counts and orders that a decoder cannot see. Errors: kMalformed, kNonFinite.
[[nodiscard]] Status validate(const HeadState& state);

// That the manifest speaks of the miners and validators of `open`'s roster. Errors: kMalformed.
[[nodiscard]] Status fits_roster(const Manifest& manifest, const RoundOpen& open);

// Rounds that a contradiction, or an assessment that was not opened, counts.
inline constexpr std::uint64_t kVoteLostRounds = 64;
// Of one validator, the newest.
inline constexpr std::size_t kContradictionsKept = 16;

// What loss drops are held against: the lower quartile of the last 16 of the rounds' median drops,
// in millionths; 0 of none. Not their median: a run's first rounds lower the loss ten times as much
// as those that follow. `drops`: oldest first.
[[nodiscard]] double trailing_drop_e6(std::span<const std::int32_t> drops);

class ChainHead {
 public:
  // Before round 0. The first parent is the zero hash.
  ChainHead(const ProtocolParams& params, const Hash& run_id);
  // At a later round. REQUIRES: validate(state).
  ChainHead(const ProtocolParams& params, const Hash& run_id, HeadState state);

  [[nodiscard]] const HeadState& state() const { return state_; }
  // What validators attest of it.
  [[nodiscard]] Hash hash() const;

  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] Round round() const { return position_.round; }
  [[nodiscard]] const Hash& state_id() const { return state_.state_id; }
  [[nodiscard]] const Hash& beacon() const { return state_.beacon; }
  [[nodiscard]] DataCursor cursor() const { return {state_.epoch, state_.cursor}; }
  // M of the last 16 sealed, not null, rounds; oldest first.
  [[nodiscard]] const std::vector<double>& past_medians() const { return state_.medians; }
  // Of the rounds so far.
  [[nodiscard]] double trailing_drop_e6() const { return protocol::trailing_drop_e6(state_.drops); }
  [[nodiscard]] std::uint32_t grace_ms() const;
  // The largest norm that a payload may have: a thousand times the lower median of past_medians(),
  // once the last roster has a proven miner, and at most 10⁹, which keeps every sum far from
  // overflow.
  [[nodiscard]] double norm_max() const;
  // The last round's roster, ascending by hotkey.
  [[nodiscard]] const std::vector<HeadMember>& last_roster() const { return state_.members; }
  [[nodiscard]] const HeadMember* find_in_last_roster(const PublicKey& hotkey) const;
  // Was in the last roster and did not miss twice in a row: worth waiting for.
  [[nodiscard]] bool expected(const PublicKey& hotkey) const;
  // Hash that the last roster holds for this validator's secret of the coming round, if it was in
  // it.
  [[nodiscard]] std::optional<Hash> secret_hash_of(const PublicKey& validator) const;
  [[nodiscard]] std::uint32_t null_rounds_in_a_row() const { return state_.null_rounds; }
  [[nodiscard]] std::uint32_t unscreened_rounds_in_a_row() const {
    return state_.unscreened_rounds;
  }
  // So many rounds were sealed without a Screen that the next one must have a validator with
  // weight.
  [[nodiscard]] bool needs_validator() const;

  // The last round's standing of this miner; a newcomer's if it was not in the roster.
  [[nodiscard]] Standing standing_of(const PublicKey& miner) const;
  // Of validators with so much stake, among each other: the stake; 0 for those that lost their
  // vote. A validator loses it when validators with more than half of the others' stake, and with
  // more than it has itself, said in the last kVoteLostRounds rounds that an evaluation of its is
  // not what they measured; or when a Screen of its in these rounds did not open what was due, and
  // of less than half of the stake that is so. If all were to lose it, nobody does.
  [[nodiscard]] std::map<PublicKey, std::uint64_t> validator_weights(
      const ValidatorStakes& stakes) const;
  // Of everybody in the roster, among those of its role: what counts in the coming round until its
  // own tally.
  [[nodiscard]] std::map<Uid, std::uint64_t> weights(const RoundOpen& open) const;
  // Of the roster's validators with a Screen in this round or the last three, together.
  [[nodiscard]] std::uint64_t active_weight(const RoundOpen& open,
                                            const std::set<PublicKey>& screened_now) const;

  // The record of `round` has its Screen, and what that sealed is not open yet.
  [[nodiscard]] bool has_sealed(const PublicKey& validator, Round round) const;
  // How many of this validator's assessments that are due in the coming round its Screen opens as
  // they were sealed: the oldest first, and no more behind one that is missing. One that this
  // Screen itself seals may be due.
  [[nodiscard]] std::uint32_t opened_by(const PublicKey& validator, const Screen& screen) const;

  // This Screen of the coming round opens nothing, though something is due.
  [[nodiscard]] bool withholds(const PublicKey& validator, const RecordedScreen& screen) const;

  // What the coming RoundOpen must say. Errors: kConflict, naming the field that is otherwise.
  [[nodiscard]] Status check_open(const RoundOpen& open) const;

  // REQUIRES: the manifest seals the round that `open` opened, at position(), and fits_roster().
  void advance(const Hash& manifest_hash, const RoundOpen& open, const Manifest& manifest);

 private:
  void remember(const RoundOpen& open, const std::vector<Contradiction>& contradictions);
  // What `validator` has sealed and must open in the coming round: a part of state_.sealed.
  [[nodiscard]] std::span<const SealedAssessment> due_of(const PublicKey& validator) const;
  [[nodiscard]] bool opens_at_once() const;  // what Screens of the coming round seal
  void take_screen(const PublicKey& validator, const RecordedScreen& screen);
  void forget_sealed();

  ProtocolParams params_;
  Position position_;
  HeadState state_;
};

}  // namespace muster::protocol
