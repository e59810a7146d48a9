#include "chain/runtime/action_limits.h"

namespace muster::chain::runtime {
namespace {

std::uint64_t blocks_between(const NetworkParameters& network, const Subnet& subnet,
                             LimitedAction action) {
  switch (action) {
    case LimitedAction::kSetChildren:
      return network.children_rate_limit_blocks;
    case LimitedAction::kSetChildkeyTake:
      return network.childkey_take_rate_limit_blocks;
    case LimitedAction::kSetWeightsVersionKey:
      return std::uint64_t{subnet.parameters.tempo} * network.version_key_rate_limit_tempos;
    case LimitedAction::kSetMechanismCount:
    case LimitedAction::kSetMechanismSplit:
      return network.mechanism_rate_limit_blocks;
    case LimitedAction::kSetTempo:
      return kTempoMin;
  }
  MUSTER_UNREACHABLE();
}

}  // namespace

bool may_act(const Context& context, const Subnet& subnet, const AccountId& key,
             LimitedAction action) {
  const auto last = subnet.last_action_blocks.find({key, static_cast<std::uint8_t>(action)});
  return last == subnet.last_action_blocks.end() ||
         saturating_sub(context.block(), last->second) >=
             blocks_between(context.network(), subnet, action);
}

void note_action(const Context& context, Subnet& subnet, const AccountId& key,
                 LimitedAction action) {
  context.journal.entry(subnet.last_action_blocks,
                        std::pair(key, static_cast<std::uint8_t>(action))) = context.block();
}

}  // namespace muster::chain::runtime
