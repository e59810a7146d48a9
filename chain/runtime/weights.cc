#include "chain/runtime/weights.h"

#include <algorithm>

#include "chain/codec/commit_hash.h"
#include "chain/economy/childkeys.h"
#include "chain/fixed/vectors.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/children.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/stakes.h"
#include "chain/yuma/mechanism.h"

namespace muster::chain::runtime {
namespace {

// own − lent + borrowed, of the stake that `stake_of_key` gives.
template <class StakeOfKey>
std::uint64_t inherited(const Subnet& subnet, const AccountId& hotkey,
                        const StakeOfKey& stake_of_key) {
  std::vector<std::uint64_t> lent;
  for (const auto& [proportion, child] : children_of(subnet, hotkey)) lent.push_back(proportion);
  std::vector<ParentStake> borrowed;
  for (const auto& [proportion, parent] : parents_of(subnet, hotkey))
    borrowed.push_back({proportion, stake_of_key(parent)});
  return inherited_stake(stake_of_key(hotkey), lent, borrowed);
}

[[nodiscard]] bool is_self_weight(std::uint16_t uid, const NewWeights& weights) {
  return weights.weights.size() == 1 && !weights.uids.empty() && weights.uids[0] == uid;
}

[[nodiscard]] bool has_duplicates(std::span<const std::uint16_t> uids) {
  std::vector<std::uint16_t> sorted(uids.begin(), uids.end());
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) != sorted.end();
}

Mechanism* find_mechanism(const Context& context, MechanismRef where) {
  Subnet* subnet = context.find(where.netuid);
  return subnet == nullptr || where.mechanism >= subnet->mechanisms.size()
             ? nullptr
             : &subnet->mechanisms[where.mechanism];
}

// Checks and stores weights, whichever way they came.
Outcome store_weights(const Context& context, const AccountId& hotkey, MechanismRef where,
                      const NewWeights& weights) {
  const State& state = context.state;
  MUSTER_ENSURE(where.netuid != kRootNetuid, kCanNotSetRootNetworkWeights);
  MUSTER_ENSURE(weights.uids.size() == weights.weights.size(), kWeightVecNotEqualSize);
  Mechanism* mechanism = find_mechanism(context, where);
  MUSTER_ENSURE(mechanism != nullptr, kMechanismDoesNotExist);
  Subnet& subnet = context.subnet(where.netuid);
  const std::size_t n = subnet.neurons.count();
  const SubnetParameters& parameters = subnet.parameters;
  MUSTER_ENSURE(weights.uids.size() <= n, kUidsLengthExceedUidsInSubNet);
  const auto uid = subnet.neurons.uid_of(hotkey);
  MUSTER_ENSURE(uid, kHotKeyNotRegisteredInSubNet);
  MUSTER_ENSURE(has_stake_for_weights(state, where.netuid, hotkey), kNotEnoughStakeToSetWeights);
  MUSTER_ENSURE(
      parameters.weights_version_key == 0 || weights.version_key >= parameters.weights_version_key,
      kIncorrectWeightVersionKey);
  MUSTER_ENSURE(
      parameters.commit_reveal || is_within_weights_limit(state, subnet, where.mechanism, *uid),
      kSettingWeightsTooFast);
  const bool is_self = is_self_weight(*uid, weights);
  MUSTER_ENSURE(is_self || owner_uid_of(subnet) == uid || subnet.neurons.permits[*uid],
                kNeuronNoValidatorPermit);
  MUSTER_ENSURE(!has_duplicates(weights.uids), kDuplicateUids);
  MUSTER_ENSURE(std::ranges::all_of(weights.uids, [&](std::uint16_t one) { return one < n; }),
                kUidVecContainInvalidOne);
  MUSTER_ENSURE(
      is_self || weights.weights.size() >= std::min<std::size_t>(n, parameters.min_allowed_weights),
      kWeightVecLengthIsLow);
  const std::vector<std::uint16_t> upscaled = upscaled_to_u16(weights.weights);
  Row row;
  for (std::size_t i = 0; i < upscaled.size(); ++i) row.push_back({weights.uids[i], upscaled[i]});
  context.edit(mechanism->weights[*uid]) = std::move(row);
  if (!parameters.commit_reveal) context.edit(mechanism->last_update[*uid]) = context.block();
  return kDone;
}

[[nodiscard]] std::uint64_t reveal_period(const Subnet& subnet) {
  return subnet.parameters.reveal_period_epochs;
}

// What both kinds of commits must meet; the committer's uid.
Attempt<std::uint16_t> check_commit(const Context& context, const AccountId& hotkey,
                                    MechanismRef where) {
  const Subnet& subnet = context.subnet(where.netuid);
  const auto uid = subnet.neurons.uid_of(hotkey);
  MUSTER_ENSURE(uid, kHotKeyNotRegisteredInSubNet);
  MUSTER_ENSURE(is_within_weights_limit(context.state, subnet, where.mechanism, *uid),
                kCommittingWeightsTooFast);
  return *uid;
}

// A deposit leaves the issuance until the reveal, so one whose commit expires, or is passed over by
// a later one's reveal, needs nobody to collect it.
Outcome take_deposit(const Context& context, const Subnet& subnet, const AccountId& hotkey) {
  const std::uint64_t rao = subnet.rules.commit_deposit_rao;
  MUSTER_ENSURE(rao <= spare_balance_of(context.state, hotkey), kInsufficientBalance);
  recycle(context, hotkey, rao);
  return kDone;
}

// Gone with an account that has ended and would be too small with it.
void return_deposit(const Context& context, const Subnet& subnet, const AccountId& hotkey) {
  (void)mint(context, hotkey, subnet.rules.commit_deposit_rao);
}

// The commits that can still be revealed; the hashes of the others.
std::vector<Hash> drop_expired(std::vector<WeightsCommit>& commits, std::uint64_t period,
                               std::uint64_t epoch) {
  std::vector<Hash> expired;
  while (!commits.empty() && is_commit_expired(commits.front().epoch, period, epoch)) {
    expired.push_back(commits.front().hash);
    commits.erase(commits.begin());
  }
  return expired;
}

}  // namespace

std::uint64_t inherited_alpha(const Subnet& subnet, const AccountId& hotkey) {
  return inherited(subnet, hotkey, [&](const AccountId& key) { return subnet.stake_of(key); });
}

std::uint64_t inherited_root(const State& state, const Subnet& subnet, const AccountId& hotkey) {
  const Subnet& root = state.subnets.at(kRootNetuid);
  return inherited(subnet, hotkey, [&](const AccountId& key) { return root.stake_of(key); });
}

bool has_stake_for_weights(const State& state, Netuid netuid, const AccountId& hotkey) {
  const auto found = state.subnets.find(netuid);
  if (found == state.subnets.end()) return state.network.stake_threshold == 0;
  const Subnet& subnet = found->second;
  const auto owner = owner_uid_of(subnet);
  if (owner && subnet.neurons.uid_of(hotkey) == owner) return true;
  const I64F64 weighted_root = fixed_from<I64F64>(inherited_root(state, subnet, hotkey)) *
                               fixed_from<I64F64>(tao_weight_of(state.network));
  return fixed_from<I64F64>(inherited_alpha(subnet, hotkey)) + weighted_root >=
         fixed_from<I64F64>(state.network.stake_threshold);
}

bool is_within_weights_limit(const State& state, const Subnet& subnet, MechanismId mechanism,
                             std::uint16_t uid) {
  if (mechanism >= subnet.mechanisms.size()) return false;
  const std::uint64_t last = subnet.mechanisms[mechanism].last_update[uid];
  return last == 0 ||
         saturating_sub(state.block, last) >= subnet.parameters.weights_rate_limit_blocks;
}

std::optional<std::uint64_t> epoch_of_commit_hash(const Subnet& subnet, MechanismId mechanism,
                                                  const AccountId& hotkey, const Hash& hash) {
  if (mechanism >= subnet.mechanisms.size()) return std::nullopt;
  const auto& all = subnet.mechanisms[mechanism].commits;
  const auto commits = all.find(hotkey);
  if (commits == all.end()) return std::nullopt;
  const auto commit = std::ranges::find(commits->second, hash, &WeightsCommit::hash);
  return commit == commits->second.end() ? std::nullopt : std::optional(commit->epoch);
}

Outcome set_weights(const Context& context, const AccountId& signer, MechanismRef where,
                    const NewWeights& weights) {
  const Subnet* subnet = context.find(where.netuid);
  // Commit-reveal is on by default, for a subnet that doesn't exist too.
  MUSTER_ENSURE(subnet != nullptr && !subnet->parameters.commit_reveal, kCommitRevealEnabled);
  MUSTER_ATTEMPT(store_weights(context, signer, where, weights));
  context.tell(WeightsChanged{WeightsChanged::How::kSet, where.netuid, where.mechanism,
                              *subnet->neurons.uid_of(signer)});
  return kDone;
}

Outcome commit_weights(const Context& context, const AccountId& signer, MechanismRef where,
                       const Hash& hash) {
  Mechanism* mechanism = find_mechanism(context, where);
  MUSTER_ENSURE(mechanism != nullptr, kMechanismDoesNotExist);
  const Subnet& subnet = context.subnet(where.netuid);
  MUSTER_ENSURE(subnet.parameters.commit_reveal, kCommitRevealDisabled);
  MUSTER_ATTEMPT_VALUE(const std::uint16_t uid, check_commit(context, signer, where));
  const std::uint64_t epoch = commit_epoch_of(context.state, subnet);
  auto& commits = context.journal.entry(mechanism->commits, signer);
  (void)drop_expired(commits, reveal_period(subnet), epoch);
  MUSTER_ENSURE(commits.size() < kUnrevealedCommitsMax, kTooManyUnrevealedCommits);
  MUSTER_ATTEMPT(take_deposit(context, subnet, signer));
  commits.push_back({hash, epoch, context.block()});
  context.edit(mechanism->last_update[uid]) = context.block();
  context.tell(WeightsChanged{WeightsChanged::How::kCommitted, where.netuid, where.mechanism, uid});
  return kDone;
}

Outcome reveal_weights(const Context& context, const AccountId& signer, MechanismRef where,
                       const NewWeights& weights, std::span<const std::uint16_t> salt) {
  const Subnet* subnet = context.find(where.netuid);
  MUSTER_ENSURE(subnet == nullptr || subnet->parameters.commit_reveal, kCommitRevealDisabled);
  Mechanism* mechanism = find_mechanism(context, where);
  MUSTER_ENSURE(mechanism != nullptr && mechanism->commits.contains(signer), kNoWeightsCommitFound);
  auto& commits = context.journal.entry(mechanism->commits, signer);
  const std::uint64_t epoch = commit_epoch_of(context.state, *subnet);
  const std::vector<Hash> expired = drop_expired(commits, reveal_period(*subnet), epoch);
  const Hash hash = weights_commit_hash(signer, mechanism_index(where.netuid, where.mechanism),
                                        {weights.uids.begin(), weights.uids.end()},
                                        {weights.weights.begin(), weights.weights.end()},
                                        {salt.begin(), salt.end()}, weights.version_key);
  const auto commit = std::ranges::find(commits, hash, &WeightsCommit::hash);
  if (commit == commits.end()) {
    MUSTER_ENSURE(std::ranges::find(expired, hash) == expired.end(), kExpiredWeightCommit);
    MUSTER_ENSURE(!commits.empty(), kNoWeightsCommitFound);
    return DispatchError::kInvalidRevealCommitHashNotMatch;
  }
  MUSTER_ENSURE(is_in_reveal_window(commit->epoch, reveal_period(*subnet), epoch), kRevealTooEarly);
  // Older commits go with it: they can't overwrite what was committed to later.
  commits.erase(commits.begin(), commit + 1);
  if (commits.empty()) context.journal.erase(mechanism->commits, signer);
  MUSTER_ATTEMPT(store_weights(context, signer, where, weights));
  return_deposit(context, *subnet, signer);
  context.tell(WeightsChanged{WeightsChanged::How::kRevealed, where.netuid, where.mechanism,
                              *subnet->neurons.uid_of(signer)});
  return kDone;
}

Outcome commit_timelocked_weights(const Context& context, const AccountId& signer,
                                  MechanismRef where, ByteSpan ciphertext,
                                  std::uint64_t reveal_round, std::uint16_t version) {
  Mechanism* mechanism = find_mechanism(context, where);
  MUSTER_ENSURE(mechanism != nullptr, kMechanismDoesNotExist);
  const Subnet& subnet = context.subnet(where.netuid);
  MUSTER_ENSURE(subnet.parameters.commit_reveal, kCommitRevealDisabled);
  MUSTER_ENSURE(version == kCommitRevealVersion, kIncorrectCommitRevealVersion);
  MUSTER_ATTEMPT_VALUE(const std::uint16_t uid, check_commit(context, signer, where));
  auto& commits =
      context.journal.entry(mechanism->timelocked, commit_epoch_of(context.state, subnet));
  const auto own = std::ranges::count(commits, signer, &TimelockedCommit::hotkey);
  MUSTER_ENSURE(static_cast<std::size_t>(own) < kUnrevealedCommitsMax, kTooManyUnrevealedCommits);
  MUSTER_ATTEMPT(take_deposit(context, subnet, signer));
  commits.push_back(
      {signer, context.block(), {{ciphertext.begin(), ciphertext.end()}}, reveal_round});
  context.edit(mechanism->last_update[uid]) = context.block();
  context.tell(
      WeightsChanged{WeightsChanged::How::kTimelocked, where.netuid, where.mechanism, uid});
  return kDone;
}

void expire_timelocked_commits(const Context& context, Netuid netuid, Subnet& subnet) {
  const std::uint64_t epoch = commit_epoch_of(context.state, subnet);
  const std::uint64_t oldest = saturating_sub(epoch, reveal_period(subnet));
  std::size_t count = 0;
  for (Mechanism& mechanism : subnet.mechanisms) {
    auto& timelocked = mechanism.timelocked;
    while (!timelocked.empty() && timelocked.begin()->first < oldest) {
      count += timelocked.begin()->second.size();
      const std::uint64_t expired = timelocked.begin()->first;
      context.journal.erase(timelocked, expired);
    }
  }
  if (count > 0) context.tell(TimelockedExpired{netuid, count});
}

}  // namespace muster::chain::runtime
