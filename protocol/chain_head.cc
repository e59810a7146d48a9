#include "protocol/chain_head.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/limits.h"
#include "base/median.h"
#include "protocol/assessment.h"
#include "protocol/beacon.h"
#include "protocol/deadlines.h"
#include "state/state_root.h"

namespace muster::protocol {
namespace {

constexpr std::size_t kRoundsRemembered = 16;
constexpr std::size_t kActiveRounds = 3;
constexpr std::uint32_t kMissesForgiven = 1;
constexpr std::size_t kSealedMax = limits::kRosterMax * (limits::kSealedRoundsMax + 1);
constexpr double kNormMax = 1e9;
constexpr double kNormOverMedianMax = 1000;

template <class T>
void push_bounded(std::vector<T>& values, T value, std::size_t count) {
  if (values.size() == count) values.erase(values.begin());
  values.push_back(std::move(value));
}

bool has_lapsed(Round round, Round now) { return round.value + kVoteLostRounds <= now.value; }

template <class T>
void drop_oldest(std::vector<T>& values, std::size_t most) {
  while (values.size() > most) values.erase(std::ranges::min_element(values, {}, &T::round));
}

HeadState first_state(const ProtocolParams& params, const Hash& run_id) {
  HeadState state;
  state.state_id = state::initial_state_id(run_id, params.initial_theta_root);
  state.beacon = first_beacon(run_id);
  return state;
}

std::tuple<PublicKey, Round> place_of(const SealedAssessment& sealed) {
  return {sealed.validator, sealed.round};
}

Error malformed(const char* what) {
  return Error{Errc::kMalformed, std::string("chain head: ") + what};
}

}  // namespace

Status validate(const HeadState& state) {
  if (state.medians.size() > kRoundsRemembered || state.tails.size() > kRoundsRemembered ||
      state.drops.size() > kRoundsRemembered || state.screened.size() > kActiveRounds ||
      state.members.size() > limits::kRosterMax ||
      state.contradictions.size() > limits::kRosterMax * kContradictionsKept ||
      state.sealed.size() > kSealedMax || state.withheld.size() > kSealedMax)
    return malformed("longer than any history that is kept");
  for (const double median : state.medians)
    if (!std::isfinite(median) || median < 0)
      return Error{Errc::kNonFinite, "chain head: a median that is no norm"};
  for (const auto& round : state.screened)
    if (round.size() > limits::kRosterMax ||
        std::adjacent_find(round.begin(), round.end(), std::greater_equal<>()) != round.end())
      return malformed("validators out of order");
  if (std::adjacent_find(state.members.begin(), state.members.end(),
                         [](const auto& a, const auto& b) { return a.hotkey >= b.hotkey; }) !=
      state.members.end())
    return malformed("members out of order");
  if (std::ranges::adjacent_find(state.contradictions, [](const auto& a, const auto& b) {
        return std::tie(a.of, a.by) >= std::tie(b.of, b.by);
      }) != state.contradictions.end())
    return malformed("contradictions out of order");
  if (std::ranges::adjacent_find(state.sealed, std::greater_equal<>(), place_of) !=
      state.sealed.end())
    return malformed("sealed assessments out of order");
  if (std::ranges::adjacent_find(state.withheld, std::greater_equal<>(), &Withholding::validator) !=
      state.withheld.end())
    return malformed("validators that opened nothing out of order");
  return {};
}

Status fits_roster(const Manifest& manifest, const RoundOpen& open) {
  if (manifest.codes.size() != miner_count(open) ||
      manifest.standings.size() != manifest.codes.size())
    return Error{Errc::kMalformed, "Manifest: " + std::to_string(manifest.codes.size()) +
                                       " outcomes, and the roster has " +
                                       std::to_string(miner_count(open)) + " miners"};
  for (const RecordedScreen& screen : manifest.screens) {
    const RosterEntry* entry = find_in_roster(open, screen.validator);
    if (entry == nullptr || entry->role != Role::kValidator)
      return Error{Errc::kMalformed, "Manifest: a Screen of uid " +
                                         std::to_string(screen.validator.value) +
                                         ", who is no validator of the roster"};
  }
  for (const auto& [by, of] : manifest.contradictions) {
    const RosterEntry* entry = find_in_roster(open, of);
    if (by == of || entry == nullptr || entry->role != Role::kValidator ||
        find_screen(manifest, by) == nullptr)
      return Error{Errc::kMalformed, "Manifest: uid " + std::to_string(by.value) +
                                         " contradicts uid " + std::to_string(of.value) +
                                         ", and one of them is no validator that it could be"};
  }
  return {};
}

ChainHead::ChainHead(const ProtocolParams& params, const Hash& run_id)
    : ChainHead(params, run_id, first_state(params, run_id)) {}

ChainHead::ChainHead(const ProtocolParams& params, const Hash& run_id, HeadState state)
    : params_(params), position_{run_id, state.round, state.parent}, state_(std::move(state)) {}

Hash ChainHead::hash() const {
  return tagged_hash("muster/chain-head", {position_.run_id.bytes, wire::encode(state_)});
}

std::uint32_t ChainHead::grace_ms() const {
  return protocol::grace_ms(params_.timing, state_.tails);
}

double trailing_drop_e6(std::span<const std::int32_t> drops) {
  const auto last = drops.last(std::min(drops.size(), kRoundsRemembered));
  return lower_quartile({last.begin(), last.end()});
}

double ChainHead::norm_max() const {
  // Whoever is not proven could have made the medians as small as it likes.
  const bool has_proven = std::ranges::any_of(state_.members, [](const HeadMember& member) {
    return member.standing.proven && member.standing.value > 0;
  });
  if (state_.medians.empty() || !has_proven) return kNormMax;
  return std::min(kNormMax, kNormOverMedianMax * lower_median(state_.medians));
}

bool ChainHead::needs_validator() const {
  const std::uint32_t most = params_.verification.unscreened_rounds_max;
  return most > 0 && state_.unscreened_rounds >= most;
}

const HeadMember* ChainHead::find_in_last_roster(const PublicKey& hotkey) const {
  const auto found = std::lower_bound(
      state_.members.begin(), state_.members.end(), hotkey,
      [](const HeadMember& member, const PublicKey& key) { return member.hotkey < key; });
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

Standing ChainHead::standing_of(const PublicKey& miner) const {
  const HeadMember* member = find_in_last_roster(miner);
  return member == nullptr ? Standing{} : member->standing;
}

std::map<PublicKey, std::uint64_t> ChainHead::validator_weights(
    const ValidatorStakes& stakes) const {
  unsigned __int128 total = 0;
  for (const auto& [validator, stake] : stakes) total += stake;
  std::map<PublicKey, unsigned __int128> against;  // the stake of who contradicts
  for (const RememberedContradiction& contradiction : state_.contradictions) {
    const auto by = stakes.find(contradiction.by);
    if (by != stakes.end() && stakes.contains(contradiction.of))
      against[contradiction.of] += by->second;
  }
  auto weights = stakes;
  for (const auto& [validator, stake] : against) {
    const std::uint64_t own = stakes.at(validator);
    if (stake > own && stake * 2 > total - own) weights[validator] = 0;
  }
  unsigned __int128 withholding = 0;
  for (const Withholding& known : state_.withheld)
    if (const auto found = stakes.find(known.validator); found != stakes.end())
      withholding += found->second;
  // Lost folders must not leave the vote to whoever has little stake.
  if (withholding * 2 < total) {
    for (const Withholding& known : state_.withheld)
      if (const auto found = weights.find(known.validator); found != weights.end())
        found->second = 0;
  }
  const bool any_left =
      std::ranges::any_of(weights, [](const auto& entry) { return entry.second > 0; });
  return any_left ? weights : stakes;
}

std::map<Uid, std::uint64_t> ChainHead::weights(const RoundOpen& open) const {
  ValidatorStakes stakes;
  for (const RosterEntry& entry : open.roster)
    if (entry.role == Role::kValidator) stakes[entry.hotkey] = entry.stake;
  const auto of_validators = validator_weights(stakes);
  std::map<Uid, std::uint64_t> weights;
  std::vector<Uid> miners;
  std::vector<Standing> standings;
  for (const RosterEntry& entry : open.roster) {
    if (entry.role == Role::kValidator) weights[entry.uid] = of_validators.at(entry.hotkey);
    if (entry.role != Role::kMiner) continue;
    miners.push_back(entry.uid);
    standings.push_back(standing_of(entry.hotkey));
  }
  const auto miners_weights = miner_weights(standings);
  for (std::size_t i = 0; i < miners.size(); ++i) weights[miners[i]] = miners_weights[i];
  return weights;
}

std::uint64_t ChainHead::active_weight(const RoundOpen& open,
                                       const std::set<PublicKey>& screened_now) const {
  const auto weight_of = weights(open);
  std::uint64_t weight = 0;
  for (const RosterEntry& entry : open.roster) {
    bool active = screened_now.contains(entry.hotkey);
    for (const auto& round : state_.screened)
      active = active || std::binary_search(round.begin(), round.end(), entry.hotkey);
    if (entry.role == Role::kValidator && active) weight += weight_of.at(entry.uid);
  }
  return weight;
}

bool ChainHead::has_sealed(const PublicKey& validator, Round round) const {
  return std::ranges::binary_search(state_.sealed, std::tuple(validator, round), {}, place_of);
}

std::span<const SealedAssessment> ChainHead::due_of(const PublicKey& validator) const {
  const auto of_validator =
      std::ranges::equal_range(state_.sealed, validator, {}, &SealedAssessment::validator);
  const auto first_not_due =
      std::ranges::find_if(of_validator, [&](const SealedAssessment& sealed) {
        return opened_in(params_, sealed.round) > state_.round;
      });
  return {of_validator.begin(), first_not_due};
}

std::uint32_t ChainHead::opened_by(const PublicKey& validator, const Screen& screen) const {
  const auto opens = [&](Round round, const Hash& hash) {
    return std::ranges::any_of(screen.opened, [&](const Assessment& opened) {
      return opened.round == round && assessment_hash(position_.run_id, validator, opened) == hash;
    });
  };
  std::uint32_t count = 0;
  for (const SealedAssessment& sealed : due_of(validator)) {
    if (!opens(sealed.round, sealed.hash)) return count;
    ++count;
  }
  return opens_at_once() && opens(state_.round, screen.assessment) ? count + 1 : count;
}

bool ChainHead::opens_at_once() const { return opened_in(params_, state_.round) <= state_.round; }

bool ChainHead::withholds(const PublicKey& validator, const RecordedScreen& screen) const {
  return screen.opened == 0 && (opens_at_once() || !due_of(validator).empty());
}

Status ChainHead::check_open(const RoundOpen& open) const {
  auto conflict = [](const char* field) {
    return Error{Errc::kConflict, std::string("RoundOpen: its ") + field +
                                      " does not follow from the last manifest"};
  };
  if (open.state_id != state_.state_id) return conflict("state id");
  if (open.beacon != state_.beacon) return conflict("beacon");
  const DataCursor fitted =
      fit_cursor(cursor(), miner_count(open), params_.slice(), params_.sequences);
  if (DataCursor{open.epoch, open.cursor} != fitted) return conflict("data cursor");
  const auto weight_of = weights(open);
  const bool screened = std::ranges::any_of(open.roster, [&](const RosterEntry& entry) {
    return entry.role == Role::kValidator && weight_of.at(entry.uid) > 0;
  });
  if (needs_validator() && !screened)
    return Error{Errc::kConflict, "RoundOpen: without a validator, though " +
                                      std::to_string(state_.unscreened_rounds) +
                                      " rounds in a row had no Screen"};
  return {};
}

void ChainHead::remember(const RoundOpen& open, const std::vector<Contradiction>& contradictions) {
  auto& kept = state_.contradictions;
  std::erase_if(kept, [&](const auto& known) { return has_lapsed(known.round, state_.round); });
  for (const auto& [by_uid, of_uid] : contradictions) {
    const PublicKey by = find_in_roster(open, by_uid)->hotkey,
                    of = find_in_roster(open, of_uid)->hotkey;
    std::erase_if(kept, [&](const auto& known) { return known.of == of && known.by == by; });
    const auto is_by = [&](const auto& known) { return known.by == by; };
    if (static_cast<std::size_t>(std::ranges::count_if(kept, is_by)) == kContradictionsKept) {
      auto oldest = kept.end();
      for (auto known = kept.begin(); known != kept.end(); ++known)
        if (is_by(*known) && (oldest == kept.end() || known->round < oldest->round)) oldest = known;
      kept.erase(oldest);
    }
    kept.push_back({of, by, state_.round});
  }
  std::ranges::sort(kept, {}, [](const auto& known) { return std::tie(known.of, known.by); });
}

void ChainHead::take_screen(const PublicKey& validator, const RecordedScreen& screen) {
  const bool is_withholding = withholds(validator, screen);
  const SealedAssessment own{validator, state_.round, screen.assessment};
  state_.sealed.insert(std::ranges::upper_bound(state_.sealed, place_of(own), {}, place_of), own);
  const auto due = due_of(validator);
  // What was withheld once counts as that, also if it is opened later.
  const std::size_t settled =
      is_withholding ? due.size() : std::min<std::size_t>(screen.opened, due.size());
  const auto first = state_.sealed.begin() + (due.data() - state_.sealed.data());
  state_.sealed.erase(first, first + static_cast<std::ptrdiff_t>(settled));
  if (!is_withholding) return;
  std::erase_if(state_.withheld,
                [&](const Withholding& known) { return known.validator == validator; });
  state_.withheld.insert(
      std::ranges::upper_bound(state_.withheld, validator, {}, &Withholding::validator),
      {validator, state_.round});
}

// Whoever is away for that long without opening anything has had no vote for as long as who
// withholds it.
void ChainHead::forget_sealed() {
  const auto is_old = [&](const auto& known) { return has_lapsed(known.round, state_.round); };
  std::erase_if(state_.sealed, is_old);
  std::erase_if(state_.withheld, is_old);
  drop_oldest(state_.sealed, kSealedMax);
  drop_oldest(state_.withheld, kSealedMax);
}

void ChainHead::advance(const Hash& manifest_hash, const RoundOpen& open,
                        const Manifest& manifest) {
  const auto weight_of = weights(open);
  std::set<PublicKey> screened;
  bool screened_with_weight = false;
  std::vector<HeadMember> members;
  for (const RosterEntry& entry : open.roster) {
    const HeadMember* before = find_in_last_roster(entry.hotkey);
    bool present = false;
    Standing standing;
    if (const auto rank = miner_rank(open, entry.uid)) {
      present = was_delivered(manifest.codes[*rank]);
      standing = manifest.standings[*rank];
    }
    if (const RecordedScreen* screen = find_screen(manifest, entry.uid);
        entry.role == Role::kValidator && screen != nullptr) {
      present = true;
      take_screen(entry.hotkey, *screen);
      screened.insert(entry.hotkey);
      screened_with_weight = screened_with_weight || weight_of.at(entry.uid) > 0;
    }
    const std::uint32_t missed = before == nullptr ? 0 : before->missed_in_a_row;
    members.push_back(
        {entry.hotkey, entry.role, entry.next_secret_hash, present ? 0 : missed + 1, standing});
  }
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.hotkey < b.hotkey; });
  state_.members = std::move(members);
  remember(open, manifest.contradictions);
  forget_sealed();
  push_bounded(state_.screened, {screened.begin(), screened.end()}, kActiveRounds);
  state_.unscreened_rounds = screened_with_weight ? 0 : state_.unscreened_rounds + 1;
  if (manifest.median_drop_e6)
    push_bounded(state_.drops, *manifest.median_drop_e6, kRoundsRemembered);
  if (manifest.tail_ms) push_bounded(state_.tails, *manifest.tail_ms, kRoundsRemembered);
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
