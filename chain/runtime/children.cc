#include "chain/runtime/children.h"

#include <algorithm>

#include "chain/runtime/action_limits.h"
#include "chain/runtime/stakes.h"

namespace muster::chain::runtime {
namespace {

using Proportions = std::map<AccountId, std::uint64_t>;

const Relations& relations_in(const std::map<AccountId, Relations>& map, const AccountId& key) {
  static const Relations kNone;
  const auto found = map.find(key);
  return found == map.end() ? kNone : found->second;
}

// The last proportion counts where a key is named twice; a key isn't its own relation.
Proportions proportions_of(const Relations& relations, const AccountId& pivot) {
  Proportions proportions;
  for (const auto& [proportion, key] : relations)
    if (key != pivot) proportions[key] = proportion;
  return proportions;
}

bool sums_to_a_whole_at_most(const Proportions& proportions) {
  Uint128 total = 0;
  for (const auto& [key, proportion] : proportions) total += proportion;
  return total <= ~std::uint64_t{0};
}

bool overlap(const Proportions& children, const Proportions& parents) {
  return std::ranges::any_of(children,
                             [&](const auto& child) { return parents.contains(child.first); });
}

// Keeps no empty lists.
void set_relations(const Context& context, std::map<AccountId, Relations>& map,
                   const AccountId& key, Relations relations) {
  if (relations.empty()) return context.journal.erase(map, key);
  context.journal.entry(map, key) = std::move(relations);
}

Relations with_relation(Relations relations, std::uint64_t proportion, const AccountId& key) {
  for (auto& [known_proportion, known] : relations) {
    if (known != key) continue;
    known_proportion = proportion;
    return relations;
  }
  relations.emplace_back(proportion, key);
  return relations;
}

Relations without_relation(Relations relations, const AccountId& key) {
  std::erase_if(relations, [&](const auto& relation) { return relation.second == key; });
  return relations;
}

// Makes these the children of `parent`, in both directions. Nothing happens when that would break a
// rule.
void apply_children(const Context& context, Subnet& subnet, const AccountId& parent,
                    const Relations& planned) {
  Families& families = subnet.families;
  const Proportions children = proportions_of(planned, parent);
  const Proportions parents = proportions_of(parents_of(subnet, parent), parent);
  if (!sums_to_a_whole_at_most(children) || overlap(children, parents)) return;
  const Relations before = children_of(subnet, parent);
  Relations after;
  for (const auto& [child, proportion] : children) after.emplace_back(proportion, child);
  set_relations(context, families.children, parent, std::move(after));
  for (const auto& [child, proportion] : children)
    set_relations(context, families.parents, child,
                  with_relation(parents_of(subnet, child), proportion, parent));
  for (const auto& [proportion, child] : before)
    if (!children.contains(child))
      set_relations(context, families.parents, child,
                    without_relation(parents_of(subnet, child), parent));
}

Outcome check_children(const Subnet& subnet, const AccountId& hotkey, const Relations& planned) {
  Proportions children;
  for (const auto& [proportion, child] : planned) children[child] = proportion;
  MUSTER_ENSURE(children.size() == planned.size(), kDuplicateChild);
  MUSTER_ENSURE(!children.contains(hotkey), kInvalidChild);
  MUSTER_ENSURE(children.size() <= kChildrenMax, kTooManyChildren);
  MUSTER_ENSURE(sums_to_a_whole_at_most(children), kProportionOverflow);
  MUSTER_ENSURE(!overlap(children, proportions_of(parents_of(subnet, hotkey), hotkey)),
                kChildParentInconsistency);
  return kDone;
}

std::uint16_t least_childkey_take(const State& state, const Subnet& subnet) {
  return std::max(state.network.childkey_take_min, subnet.parameters.childkey_take_min);
}

}  // namespace

const Relations& children_of(const Subnet& subnet, const AccountId& hotkey) {
  return relations_in(subnet.families.children, hotkey);
}

const Relations& parents_of(const Subnet& subnet, const AccountId& hotkey) {
  return relations_in(subnet.families.parents, hotkey);
}

std::uint16_t childkey_take_of(const State& state, const Subnet& subnet, const AccountId& hotkey) {
  const auto found = subnet.families.takes.find(hotkey);
  const std::uint16_t take =
      found == subnet.families.takes.end() ? std::uint16_t{0} : found->second;
  return std::max(take, least_childkey_take(state, subnet));
}

Outcome set_children(const Context& context, const AccountId& signer, const SetChildren& call) {
  const State& state = context.state;
  Subnet* subnet = context.find(call.netuid);
  if (subnet != nullptr)
    MUSTER_ENSURE(may_act(context, *subnet, call.hotkey, LimitedAction::kSetChildren),
                  kTxRateLimitExceeded);
  MUSTER_ENSURE(call.netuid != kRootNetuid, kRegistrationNotPermittedOnRootSubnet);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(owns_hotkey(state, signer, call.hotkey), kNonAssociatedColdKey);
  MUSTER_ATTEMPT(check_children(*subnet, call.hotkey, call.children));
  MUSTER_ENSURE(call.children.empty() || subnet->owner_hotkey == call.hotkey ||
                    total_stake_of(state, call.hotkey) >= context.network().stake_threshold,
                kNotEnoughStakeToSetChildkeys);
  note_action(context, *subnet, call.hotkey, LimitedAction::kSetChildren);
  if (!subnet->subtoken_enabled) {
    apply_children(context, *subnet, call.hotkey, call.children);
    return kDone;
  }
  context.journal.entry(subnet->families.pending, call.hotkey) = {
      call.children, saturating_add(context.block(), context.network().children_cooldown_blocks)};
  return kDone;
}

Outcome set_childkey_take(const Context& context, const AccountId& signer,
                          const SetChildkeyTake& call) {
  const State& state = context.state;
  MUSTER_ENSURE(owns_hotkey(state, signer, call.hotkey), kNonAssociatedColdKey);
  Subnet* subnet = context.find(call.netuid);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(call.take >= least_childkey_take(state, *subnet) &&
                    call.take <= context.network().childkey_take_max,
                kInvalidChildkeyTake);
  MUSTER_ENSURE(call.take <= childkey_take_of(state, *subnet, call.hotkey) ||
                    may_act(context, *subnet, call.hotkey, LimitedAction::kSetChildkeyTake),
                kTxChildkeyTakeRateLimitExceeded);
  note_action(context, *subnet, call.hotkey, LimitedAction::kSetChildkeyTake);
  context.journal.entry(subnet->families.takes, call.hotkey) = call.take;
  return kDone;
}

Outcome set_auto_parent_delegation(const Context& context, const AccountId& signer,
                                   const SetAutoParentDelegation& call) {
  MUSTER_ENSURE(owns_hotkey(context.state, signer, call.hotkey), kNonAssociatedColdKey);
  MUSTER_ENSURE(context.subnet(kRootNetuid).neurons.uid_of(call.hotkey),
                kHotKeyNotRegisteredInSubNet);
  context.edit(context.state.hotkeys.at(call.hotkey).auto_parent) = call.enabled;
  return kDone;
}

void apply_pending_children(const Context& context, Subnet& subnet) {
  auto& pending = subnet.families.pending;
  std::vector<AccountId> due;
  for (const auto& [hotkey, plan] : pending)
    if (plan.cooldown_block < context.block() || !subnet.subtoken_enabled) due.push_back(hotkey);
  for (const AccountId& hotkey : due) {
    apply_children(context, subnet, hotkey, pending.at(hotkey).children);
    context.journal.erase(pending, hotkey);
  }
}

void adopt_by_root_validators(const Context& context, Netuid netuid) {
  const AccountId child = context.subnet(netuid).owner_hotkey;
  const std::vector<AccountId> validators = context.subnet(kRootNetuid).neurons.hotkeys;
  for (const AccountId& validator : validators) {
    const HotkeyRecord* record = find_hotkey(context.state, validator);
    if (validator == child || record == nullptr || !record->auto_parent) continue;
    // One who may not is left out.
    if (set_children(context, record->owner, {validator, netuid, {{~std::uint64_t{0}, child}}}))
      continue;
  }
}

}  // namespace muster::chain::runtime
