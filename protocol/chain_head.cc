#include "protocol/chain_head.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "protocol/beacon.h"
#include "protocol/deadlines.h"
#include "state/state_root.h"

namespace muster::protocol {
namespace {

constexpr std::size_t kRoundsRemembered = 16;
constexpr std::size_t kActiveRounds = 3;
constexpr std::uint32_t kMissesForgiven = 1;

template <class T>
void push_bounded(std::vector<T>& values, T value, std::size_t count) {
  if (values.size() == count) values.erase(values.begin());
  values.push_back(std::move(value));
}

bool delivered(OutcomeCode code) {
  return code != OutcomeCode::kMissed && code != OutcomeCode::kKeyWithheld;
}

HeadState first_state(const ProtocolParams& params, const Hash& run_id) {
  HeadState state;
  state.state_id = state::initial_state_id(run_id, params.initial_theta_root);
  state.beacon = first_beacon(run_id);
  return state;
}

Error malformed(const char* what) {
  return Error{Errc::kMalformed, std::string("chain head: ") + what};
}

}  // namespace

Status validate(const HeadState& state) {
  if (state.medians.size() > kRoundsRemembered || state.arrivals.size() > kRoundsRemembered ||
      state.screened.size() > kActiveRounds || state.members.size() > limits::kRosterMax)
    return malformed("longer than any history that is kept");
  for (const double median : state.medians)
    if (!std::isfinite(median) || median < 0)
      return Error{Errc::kNonFinite, "chain head: a median that is no norm"};
  for (const auto& round : state.arrivals)
    if (round.size() > limits::kRosterMax) return malformed("more arrivals than uids");
  for (const auto& round : state.screened)
    if (round.size() > limits::kRosterMax ||
        std::adjacent_find(round.begin(), round.end(), std::greater_equal<>()) != round.end())
      return malformed("validators out of order");
  if (std::adjacent_find(state.members.begin(), state.members.end(),
                         [](const auto& a, const auto& b) { return a.hotkey >= b.hotkey; }) !=
      state.members.end())
    return malformed("members out of order");
  return {};
}

ChainHead::ChainHead(const ProtocolParams& params, const Hash& run_id)
    : ChainHead(params, run_id, first_state(params, run_id)) {}

ChainHead::ChainHead(const ProtocolParams& params, const Hash& run_id, HeadState state)
    : timing_(params.timing),
      slice_(params.slice()),
      sequences_(params.sequences),
      position_{run_id, state.round, state.parent},
      state_(std::move(state)) {}

Hash ChainHead::hash() const {
  return tagged_hash("muster/chain-head", {position_.run_id.bytes, wire::encode(state_)});
}

std::uint32_t ChainHead::grace_ms() const { return protocol::grace_ms(timing_, state_.arrivals); }

const HeadMember* ChainHead::find_in_last_roster(const PublicKey& hotkey) const {
  const auto found =
      std::lower_bound(state_.members.begin(), state_.members.end(), hotkey,
                       [](const HeadMember& member, const PublicKey& key) {
                         return member.hotkey < key;
                       });
  return found != state_.members.end() && found->hotkey == hotkey ? &*found : nullptr;
}

bool ChainHead::expected(const PublicKey& hotkey) const {
  const HeadMember* member = find_in_last_roster(hotkey);
  return member != nullptr && member->missed_in_a_row <= kMissesForgiven;
}

std::optional<Hash> ChainHead::secret_hash_of(const PublicKey& validator) const {
  const HeadMember* member = find_in_last_roster(validator);
  if (member == nullptr || member->role != Role::kValidator) return std::nullopt;
  return member->next_secret_hash;
}

std::uint64_t ChainHead::active_stake(const RoundOpen& open,
                                      const std::set<PublicKey>& screened_now) const {
  std::uint64_t stake = 0;
  for (const RosterEntry& entry : open.roster) {
    bool active = screened_now.contains(entry.hotkey);
    for (const auto& round : state_.screened)
      active = active || std::binary_search(round.begin(), round.end(), entry.hotkey);
    if (entry.role == Role::kValidator && active) stake += entry.stake;
  }
  return stake;
}

Status ChainHead::check_open(const RoundOpen& open) const {
  auto conflict = [](const char* field) {
    return Error{Errc::kConflict,
                 std::string("RoundOpen: its ") + field + " does not follow from the last manifest"};
  };
  if (open.state_id != state_.state_id) return conflict("state id");
  if (open.beacon != state_.beacon) return conflict("beacon");
  const DataCursor fitted = fit_cursor(cursor(), miner_count(open), slice_, sequences_);
  if (DataCursor{open.epoch, open.cursor} != fitted) return conflict("data cursor");
  return {};
}

void ChainHead::advance(const Hash& manifest_hash, const RoundOpen& open,
                        const Manifest& manifest) {
  std::set<PublicKey> screened;
  for (const Bytes& screen : manifest.screens)
    if (auto envelope = wire::reread_envelope(screen)) screened.insert(envelope->sender);
  std::set<Uid> uids_delivered;
  std::vector<std::uint32_t> arrivals;
  for (const Outcome& outcome : manifest.outcomes) {
    if (!delivered(outcome.code)) continue;
    uids_delivered.insert(outcome.uid);
    arrivals.push_back(outcome.arrival_ms);
  }

  std::vector<HeadMember> members;
  for (const RosterEntry& entry : open.roster) {
    const HeadMember* before = find_in_last_roster(entry.hotkey);
    const bool present = entry.role == Role::kValidator ? screened.contains(entry.hotkey)
                                                        : uids_delivered.contains(entry.uid);
    const std::uint32_t missed = before == nullptr ? 0 : before->missed_in_a_row;
    members.push_back({entry.hotkey, entry.role, entry.next_secret_hash, present ? 0 : missed + 1});
  }
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.hotkey < b.hotkey; });
  state_.members = std::move(members);
  push_bounded(state_.screened, {screened.begin(), screened.end()}, kActiveRounds);
  push_bounded(state_.arrivals, std::move(arrivals), kRoundsRemembered);
  if (!manifest.null_round) push_bounded(state_.medians, manifest.median_norm, kRoundsRemembered);
  state_.null_rounds = manifest.null_round ? state_.null_rounds + 1 : 0;

  state_.round = state_.round.next();
  state_.parent = manifest_hash;
  state_.state_id = manifest.state_id_after;
  state_.beacon = manifest.next_beacon;
  state_.epoch = manifest.next_epoch;
  state_.cursor = manifest.next_cursor;
  position_.round = state_.round;
  position_.parent = manifest_hash;
}

}  // namespace muster::protocol
