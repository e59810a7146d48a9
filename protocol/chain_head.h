// ChainHead: what the sealed manifests so far say about the next round.
//
// Coordinator, miners, validators and the audit all advance the same one, so they agree on beacon, data
// cursor, clipping history, grace period and who is expected without anybody announcing it.
// Thread safety: a value.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "protocol/assignment.h"
#include "protocol/messages.h"
#include "protocol/params.h"
#include "protocol/signed_message.h"
#include "protocol/tally.h"

namespace muster::protocol {

class ChainHead {
 public:
  // Before round 0. The first parent is the zero hash.
  ChainHead(const ProtocolParams& params, const Hash& run_id);

  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] Round round() const { return position_.round; }
  [[nodiscard]] const Hash& state_id() const { return state_id_; }
  [[nodiscard]] const Hash& beacon() const { return beacon_; }
  [[nodiscard]] const DataCursor& cursor() const { return cursor_; }
  // M of the last 16 sealed, not null, rounds; oldest first.
  [[nodiscard]] std::vector<double> past_medians() const;
  [[nodiscard]] std::uint32_t grace_ms() const;
  // Who took part in the last round's roster and did not miss the last two: worth waiting for.
  [[nodiscard]] const std::map<PublicKey, Role>& last_roster() const { return last_roster_; }
  [[nodiscard]] bool expected(const PublicKey& hotkey) const;
  // Hash that the last roster holds for this validator's secret of the coming round, if it was in it.
  [[nodiscard]] std::optional<Hash> secret_hash_of(const PublicKey& validator) const;
  [[nodiscard]] std::uint32_t null_rounds_in_a_row() const { return null_rounds_; }

  // Stake of the roster's validators with a Screen in this round or the last three.
  [[nodiscard]] std::uint64_t active_stake(const RoundOpen& open,
                                           const std::set<PublicKey>& screened_now) const;

  // What the coming RoundOpen must say. Errors: kConflict, naming the field that is otherwise.
  [[nodiscard]] Status check_open(const RoundOpen& open) const;

  // REQUIRES: the manifest seals the round that `open` opened, at position().
  void advance(const Hash& manifest_hash, const RoundOpen& open, const Manifest& manifest);

 private:
  const TimingParams timing_;
  const std::uint32_t slice_;
  const std::uint64_t sequences_;
  Position position_;
  Hash state_id_;
  Hash beacon_;
  DataCursor cursor_;
  std::deque<double> medians_;
  std::deque<std::vector<std::uint32_t>> arrivals_;
  std::deque<std::set<PublicKey>> screened_;
  std::map<PublicKey, Role> last_roster_;
  std::map<PublicKey, Hash> secret_hashes_;
  std::map<PublicKey, std::uint32_t> missed_in_a_row_;
  std::uint32_t null_rounds_ = 0;
};

}  // namespace muster::protocol
