#include "protocol/chain_head.h"

#include "protocol/beacon.h"
#include "protocol/deadlines.h"
#include "state/state_root.h"

namespace muster::protocol {
namespace {

constexpr std::size_t kRoundsRemembered = 16;
constexpr std::size_t kActiveRounds = 3;
constexpr std::uint32_t kMissesForgiven = 1;

template <class T>
void push_bounded(std::deque<T>& queue, T value, std::size_t count) {
  queue.push_back(std::move(value));
  if (queue.size() > count) queue.pop_front();
}

bool delivered(OutcomeCode code) {
  return code != OutcomeCode::kMissed && code != OutcomeCode::kKeyWithheld;
}

}  // namespace

ChainHead::ChainHead(const ProtocolParams& params, const Hash& run_id)
    : timing_(params.timing),
      slice_(params.slice()),
      sequences_(params.sequences),
      position_{run_id, Round{0}, Hash{}},
      state_id_(state::initial_state_id(run_id, params.initial_theta_root)),
      beacon_(first_beacon(run_id)) {}

std::vector<double> ChainHead::past_medians() const { return {medians_.begin(), medians_.end()}; }

std::uint32_t ChainHead::grace_ms() const {
  const std::vector<std::vector<std::uint32_t>> rounds(arrivals_.begin(), arrivals_.end());
  return protocol::grace_ms(timing_, rounds);
}

bool ChainHead::expected(const PublicKey& hotkey) const {
  const auto missed = missed_in_a_row_.find(hotkey);
  return last_roster_.contains(hotkey) &&
         (missed == missed_in_a_row_.end() || missed->second <= kMissesForgiven);
}

std::optional<Hash> ChainHead::secret_hash_of(const PublicKey& validator) const {
  const auto found = secret_hashes_.find(validator);
  if (found == secret_hashes_.end()) return std::nullopt;
  return found->second;
}

std::uint64_t ChainHead::active_stake(const RoundOpen& open,
                                      const std::set<PublicKey>& screened_now) const {
  std::uint64_t stake = 0;
  for (const RosterEntry& entry : open.roster) {
    bool active = screened_now.contains(entry.hotkey);
    for (const auto& round : screened_) active = active || round.contains(entry.hotkey);
    if (entry.role == Role::kValidator && active) stake += entry.stake;
  }
  return stake;
}

Status ChainHead::check_open(const RoundOpen& open) const {
  auto conflict = [](const char* field) {
    return Error{Errc::kConflict,
                 std::string("RoundOpen: its ") + field + " does not follow from the last manifest"};
  };
  if (open.state_id != state_id_) return conflict("state id");
  if (open.beacon != beacon_) return conflict("beacon");
  const DataCursor fitted = fit_cursor(cursor_, miner_count(open), slice_, sequences_);
  if (DataCursor{open.epoch, open.cursor} != fitted) return conflict("data cursor");
  return {};
}

void ChainHead::advance(const Hash& manifest_hash, const RoundOpen& open,
                        const Manifest& manifest) {
  std::map<Uid, PublicKey> hotkeys;
  last_roster_.clear();
  secret_hashes_.clear();
  for (const RosterEntry& entry : open.roster) {
    hotkeys[entry.uid] = entry.hotkey;
    last_roster_[entry.hotkey] = entry.role;
    if (entry.role == Role::kValidator) secret_hashes_[entry.hotkey] = entry.next_secret_hash;
  }
  std::set<PublicKey> screened;
  for (const Bytes& screen : manifest.screens)
    if (auto envelope = wire::reread_envelope(screen)) screened.insert(envelope->sender);

  std::vector<std::uint32_t> arrivals;
  for (const Outcome& outcome : manifest.outcomes) {
    const PublicKey& hotkey = hotkeys[outcome.uid];
    missed_in_a_row_[hotkey] = delivered(outcome.code) ? 0 : missed_in_a_row_[hotkey] + 1;
    if (delivered(outcome.code)) arrivals.push_back(outcome.arrival_ms);
  }
  for (const RosterEntry& entry : open.roster) {
    if (entry.role == Role::kValidator)
      missed_in_a_row_[entry.hotkey] =
          screened.contains(entry.hotkey) ? 0 : missed_in_a_row_[entry.hotkey] + 1;
  }
  push_bounded(screened_, std::move(screened), kActiveRounds);
  push_bounded(arrivals_, std::move(arrivals), kRoundsRemembered);
  if (!manifest.null_round) push_bounded(medians_, manifest.median_norm, kRoundsRemembered);
  null_rounds_ = manifest.null_round ? null_rounds_ + 1 : 0;

  position_.round = position_.round.next();
  position_.parent = manifest_hash;
  state_id_ = manifest.state_id_after;
  beacon_ = manifest.next_beacon;
  cursor_ = {manifest.next_epoch, manifest.next_cursor};
}

}  // namespace muster::protocol
