#include "chain/runtime/root_claims.h"

#include <algorithm>

#include "chain/runtime/balances.h"
#include "chain/runtime/staking.h"

namespace muster::chain::runtime {
namespace {

const std::map<Netuid, I96F32>& rates_of(const State& state, const AccountId& hotkey) {
  static const std::map<Netuid, I96F32> kNone;
  const HotkeyRecord* record = find_hotkey(state, hotkey);
  return record == nullptr ? kNone : record->root_claimable;
}

Uint128 claimed(const State& state, const RootClaimKey& key) {
  const auto found = state.root_claimed.find(key);
  return found == state.root_claimed.end() ? 0 : found->second;
}

void set_claimed(const Context& context, const RootClaimKey& key, Uint128 amount) {
  if (amount == 0) return context.journal.erase(context.state.root_claimed, key);
  context.journal.entry(context.state.root_claimed, key) = amount;
}

Uint128 amount_at(I96F32 rate, std::uint64_t rao) {
  return integer_from<Uint128>(rate * fixed_from<I96F32>(rao));
}

I96F32 exactly_owed(const State& state, const RootClaimKey& key) {
  const auto& rates = rates_of(state, key.hotkey);
  const auto rate = rates.find(key.netuid);
  const I96F32 claimable = rate == rates.end()
                               ? I96F32::zero()
                               : rate->second * fixed_from<I96F32>(stake_of(
                                                    state, key.hotkey, key.coldkey, kRootNetuid));
  return claimable - fixed_from<I96F32>(claimed(state, key));
}

// Sells the alpha and stakes the TAO on root, without fee.
Outcome claim_as_tao(const Context& context, const RootClaimKey& key, std::uint64_t alpha) {
  MUSTER_ATTEMPT_VALUE(const Swap swap,
                       sell_alpha(context, key.netuid, alpha, kPriceLimitMin, SwapFee::kWaived));
  MUSTER_ATTEMPT(
      transfer_from_subnet(context, key.netuid, subnet_account(kRootNetuid), swap.amount_out));
  increase_stake(context, key.hotkey, key.coldkey, kRootNetuid, swap.amount_out);
  SubnetEconomy& root = context.edit(context.subnet(kRootNetuid).economy);
  root.pool.tao_reserve += swap.amount_out;
  root.alpha_out += swap.amount_out;
  context.edit(context.state.stake_rao) += swap.amount_out;
  claim_nothing_for(context, key.hotkey, key.coldkey, swap.amount_out);
  return kDone;
}

Outcome claim_one(const Context& context, const RootClaimKey& key, const RootClaimType& type) {
  const I96F32 owed = exactly_owed(context.state, key);
  if (owed < fixed_from<I96F32>(context.network().root_claim_threshold)) return kDone;
  const std::uint64_t alpha = integer_from<std::uint64_t>(owed);
  if (alpha == 0) return kDone;
  if (type.keeps(key.netuid)) {
    increase_stake(context, key.hotkey, key.coldkey, key.netuid, alpha);
  } else {
    MUSTER_ATTEMPT(claim_as_tao(context, key, alpha));
  }
  set_claimed(context, key, claimed(context.state, key) + alpha);
  return kDone;
}

RootClaimType claim_type_of(const State& state, const AccountId& coldkey) {
  const auto found = state.coldkeys.find(coldkey);
  return found == state.coldkeys.end() ? RootClaimType{} : found->second.root_claim_type;
}

std::uint64_t big_endian_word(const Hash& hash, std::size_t index) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word = word << 8 | hash.bytes[index * 8 + i];
  return word;
}

}  // namespace

void add_root_dividend(const Context& context, const AccountId& hotkey, Netuid netuid,
                       std::uint64_t alpha) {
  const std::uint64_t root_stake = stake_of(context.state, hotkey, kRootNetuid);
  if (alpha > root_stake) {
    increase_stake(context, hotkey, owner_of(context.state, hotkey), netuid, alpha);
    return;
  }
  const auto record = context.state.hotkeys.find(hotkey);
  if (record == context.state.hotkeys.end()) return;
  const I96F32 increment = safe_div(fixed_from<I96F32>(alpha), fixed_from<I96F32>(root_stake));
  I96F32& rate = context.journal.entry(record->second.root_claimable, netuid);
  rate = rate + increment;
}

void claim_nothing_for(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                       std::uint64_t rao) {
  for (const auto& [netuid, rate] : rates_of(context.state, hotkey)) {
    const RootClaimKey key{netuid, hotkey, coldkey};
    set_claimed(context, key, claimed(context.state, key) + amount_at(rate, rao));
  }
}

void unclaim_nothing_for(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                         std::uint64_t rao) {
  for (const auto& [netuid, rate] : rates_of(context.state, hotkey)) {
    const RootClaimKey key{netuid, hotkey, coldkey};
    const Uint128 before = claimed(context.state, key);
    set_claimed(context, key, before - std::min(before, amount_at(rate, rao)));
  }
}

std::uint64_t root_owed(const State& state, const AccountId& hotkey, const AccountId& coldkey,
                        Netuid netuid) {
  return integer_from<std::uint64_t>(exactly_owed(state, {netuid, hotkey, coldkey}));
}

Outcome claim_root(const Context& context, const AccountId& coldkey,
                   const std::set<Netuid>* subnets) {
  const auto record = context.state.coldkeys.find(coldkey);
  if (record == context.state.coldkeys.end()) return kDone;
  const RootClaimType type = claim_type_of(context.state, coldkey);
  const std::vector<AccountId> hotkeys = record->second.staking_hotkeys;
  for (const AccountId& hotkey : hotkeys) {
    for (const auto& [netuid, rate] : rates_of(context.state, hotkey)) {
      if (subnets != nullptr && !subnets->contains(netuid)) continue;
      MUSTER_ATTEMPT(claim_one(context, {netuid, hotkey, coldkey}, type));
    }
  }
  return kDone;
}

// Steps of the hash's words through the list, in ascending order of what they hit.
void claim_root_for_some(const Context& context, const Hash& parent) {
  const std::uint64_t count = context.state.root_stakers.size();
  if (count == 0) return;
  std::set<std::uint64_t> picked;
  std::uint64_t at = big_endian_word(parent, 0);
  for (std::uint64_t i = 0; i < context.network().root_claims_per_block; ++i) {
    at = saturating_add(at, big_endian_word(parent, i % 4)) % count;
    picked.insert(at);
  }
  for (const std::uint64_t index : picked) {
    if (index >= context.state.root_stakers.size()) continue;
    Journal journal;
    const Context attempt{context.state, journal, context.events, context.author};
    const AccountId coldkey = context.state.root_stakers[index];
    if (claim_root(attempt, coldkey, nullptr)) journal.roll_back();
  }
}

void forget_root_claims(const Context& context, Netuid netuid) {
  for (auto& [hotkey, record] : context.state.hotkeys)
    context.journal.erase(record.root_claimable, netuid);
  auto& all = context.state.root_claimed;
  for (auto claim = all.lower_bound({netuid, {}, {}});
       claim != all.end() && claim->first.netuid == netuid;) {
    const RootClaimKey key = (claim++)->first;
    context.journal.erase(all, key);
  }
}

Outcome claim_root(const Context& context, const AccountId& signer, const ClaimRoot& call) {
  MUSTER_ENSURE(!call.subnets.empty() && call.subnets.size() <= kRootClaimSubnetsMax,
                kInvalidSubnetNumber);
  add_root_staker(context, signer);
  return claim_root(context, signer, &call.subnets);
}

Outcome set_root_claim_type(const Context& context, const AccountId& signer,
                            const SetRootClaimType& call) {
  MUSTER_ENSURE(call.type.kind != RootClaimType::Kind::kKeepSubnets || !call.type.subnets.empty(),
                kInvalidSubnetNumber);
  add_root_staker(context, signer);
  ColdkeyRecord& record = context.journal.place(context.state.coldkeys, signer);
  context.edit(record.root_claim_type) = call.type;
  return kDone;
}

}  // namespace muster::chain::runtime
