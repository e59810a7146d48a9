#include "chain/runtime/stakes.h"

#include <algorithm>

#include "chain/economy/injection.h"
#include "chain/runtime/balances.h"

namespace muster::chain::runtime {
namespace {

bool contains(const std::vector<AccountId>& list, const AccountId& account) {
  return std::ranges::find(list, account) != list.end();
}

ColdkeyRecord& coldkey_record(const Context& context, const AccountId& coldkey) {
  return context.journal.place(context.state.coldkeys, coldkey);
}

void remember_staking(const Context& context, const AccountId& coldkey, const AccountId& hotkey) {
  std::vector<AccountId>& staking = coldkey_record(context, coldkey).staking_hotkeys;
  if (!contains(staking, hotkey)) context.journal.append(staking, hotkey);
}

const HotkeyStake* find_stake(const State& state, const AccountId& hotkey, Netuid netuid) {
  const auto subnet = state.subnets.find(netuid);
  if (subnet == state.subnets.end()) return nullptr;
  const auto stake = subnet->second.stakes.find(hotkey);
  return stake == subnet->second.stakes.end() ? nullptr : &stake->second;
}

// Keeps neither empty shares nor empty pools.
void store(const Context& context, std::map<AccountId, HotkeyStake>& stakes,
           const AccountId& hotkey, const AccountId& coldkey, const HeldShare& held) {
  HotkeyStake& stake = context.journal.place(stakes, hotkey);
  context.edit(stake.pool) = held.pool;
  if (held.share.is_zero()) {
    context.journal.erase(stake.shares, coldkey);
  } else {
    context.journal.entry(stake.shares, coldkey) = held.share;
  }
  if (stake.shares.empty() && stake.pool == SharePool{}) context.journal.erase(stakes, hotkey);
}

void change_stake(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                  Netuid netuid, std::int64_t change) {
  auto& stakes = context.subnet(netuid).stakes;
  const HotkeyStake* stake = find_stake(context.state, hotkey, netuid);
  const SharePool pool = stake == nullptr ? SharePool{} : stake->pool;
  SafeFloat share;
  if (stake != nullptr)
    if (const auto found = stake->shares.find(coldkey); found != stake->shares.end())
      share = found->second;
  store(context, stakes, hotkey, coldkey, with_change_for_one(pool, share, change));
}

}  // namespace

// ---- keys

const HotkeyRecord* find_hotkey(const State& state, const AccountId& hotkey) {
  const auto found = state.hotkeys.find(hotkey);
  return found == state.hotkeys.end() ? nullptr : &found->second;
}

bool owns_hotkey(const State& state, const AccountId& coldkey, const AccountId& hotkey) {
  const HotkeyRecord* record = find_hotkey(state, hotkey);
  return record != nullptr && record->owner == coldkey;
}

AccountId owner_of(const State& state, const AccountId& hotkey) {
  const HotkeyRecord* record = find_hotkey(state, hotkey);
  return record == nullptr ? AccountId{} : record->owner;
}

std::uint16_t take_of(const State& state, const AccountId& hotkey) {
  const HotkeyRecord* record = find_hotkey(state, hotkey);
  return record != nullptr && record->take ? *record->take : state.network.take_default;
}

Outcome associate_hotkey(const Context& context, const AccountId& coldkey,
                         const AccountId& hotkey) {
  MUSTER_ENSURE(!is_subnet_account(hotkey), kCannotUseSystemAccount);
  if (find_hotkey(context.state, hotkey) != nullptr) return kDone;
  context.journal.entry(context.state.hotkeys, hotkey).owner = coldkey;
  std::vector<AccountId>& owned = coldkey_record(context, coldkey).owned_hotkeys;
  if (!contains(owned, hotkey)) context.journal.append(owned, hotkey);
  remember_staking(context, coldkey, hotkey);
  return kDone;
}

void become_delegate(const Context& context, const AccountId& hotkey) {
  const auto found = context.state.hotkeys.find(hotkey);
  if (found == context.state.hotkeys.end() || found->second.take) return;
  context.edit(found->second.take) = context.network().take_default;
}

// ---- amounts

std::uint64_t stake_of(const State& state, const AccountId& hotkey, const AccountId& coldkey,
                       Netuid netuid) {
  const HotkeyStake* stake = find_stake(state, hotkey, netuid);
  if (stake == nullptr) return 0;
  const auto share = stake->shares.find(coldkey);
  return share == stake->shares.end() ? 0 : value_of_share(stake->pool, share->second);
}

std::uint64_t stake_of(const State& state, const AccountId& hotkey, Netuid netuid) {
  const HotkeyStake* stake = find_stake(state, hotkey, netuid);
  return stake == nullptr ? 0 : stake->pool.total;
}

std::uint64_t total_stake_of(const State& state, const AccountId& hotkey) {
  U64F64 total;
  for (const auto& [netuid, subnet] : state.subnets) {
    const std::uint64_t alpha = subnet.stake_of(hotkey);
    if (alpha > 0) total = wrapping_add(total, fixed_from<U64F64>(alpha) * price_of(state, netuid));
  }
  return integer_from<std::uint64_t>(total);
}

void increase_stake(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                    Netuid netuid, std::uint64_t amount) {
  if (amount == 0) return;
  remember_staking(context, coldkey, hotkey);
  change_stake(context, hotkey, coldkey, netuid, static_cast<std::int64_t>(amount));
}

void decrease_stake(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                    Netuid netuid, std::uint64_t amount) {
  if (amount == 0 || stake_of(context.state, hotkey, coldkey, netuid) < amount) return;
  change_stake(context, hotkey, coldkey, netuid, -static_cast<std::int64_t>(amount));
}

void increase_stake_of_all(const Context& context, const AccountId& hotkey, Netuid netuid,
                           std::uint64_t amount) {
  if (amount == 0) return;
  HotkeyStake& stake = context.journal.place(context.subnet(netuid).stakes, hotkey);
  context.edit(stake.pool) = with_change_for_all(stake.pool, static_cast<std::int64_t>(amount));
}

bool increase_moves_shares(const State& state, const AccountId& hotkey, Netuid netuid,
                           std::uint64_t amount) {
  const HotkeyStake* stake = find_stake(state, hotkey, netuid);
  return change_moves_shares(stake == nullptr ? SharePool{} : stake->pool,
                             static_cast<std::int64_t>(amount));
}

// ---- root stakers

void add_root_staker(const Context& context, const AccountId& coldkey) {
  State& state = context.state;
  if (state.root_staker_indices.contains(coldkey)) return;
  context.journal.entry(state.root_staker_indices, coldkey) = state.root_stakers.size();
  context.journal.append(state.root_stakers, coldkey);
}

// The last one takes the place that becomes free.
void remove_root_staker(const Context& context, const AccountId& coldkey) {
  State& state = context.state;
  const auto found = state.root_staker_indices.find(coldkey);
  if (found == state.root_staker_indices.end()) return;
  const std::uint64_t index = found->second;
  std::vector<AccountId>& stakers = context.edit(state.root_stakers);
  if (index + 1 != stakers.size()) {
    stakers[index] = stakers.back();
    context.journal.entry(state.root_staker_indices, stakers[index]) = index;
  }
  stakers.pop_back();
  context.journal.erase(state.root_staker_indices, coldkey);
}

bool has_root_stake(const State& state, const AccountId& coldkey) {
  const auto record = state.coldkeys.find(coldkey);
  return record != state.coldkeys.end() &&
         std::ranges::any_of(record->second.staking_hotkeys, [&](const AccountId& hotkey) {
           return stake_of(state, hotkey, coldkey, kRootNetuid) > 0;
         });
}

// ---- alpha supply

void recycle_alpha(const Context& context, Netuid netuid, std::uint64_t amount) {
  if (amount == 0) return;
  SubnetEconomy& economy = context.edit(context.subnet(netuid).economy);
  const std::uint64_t recycled = std::min(amount, economy.alpha_out);
  economy.alpha_out -= recycled;
  economy.alpha_recycled += recycled;
}

void burn_alpha(const Context& context, Netuid netuid, std::uint64_t amount) {
  if (amount > 0) context.edit(context.subnet(netuid).economy).alpha_burned += amount;
}

std::uint64_t alpha_issuance_of(const SubnetEconomy& economy) {
  return saturating_add(economy.pool.alpha_reserve, economy.alpha_out);
}

U64F64 price_of(const State& state, Netuid netuid) {
  return netuid == kRootNetuid ? U64F64::one()
                               : chain::price_of(state.subnets.at(netuid).economy.pool);
}

U96F32 tao_weight_of(const NetworkParameters& network) {
  return fraction_of_u64(network.tao_weight);
}

}  // namespace muster::chain::runtime
