#include "chain/service/neuron_watch.h"

#include <algorithm>

namespace muster::chain {

std::optional<std::string> permit_warning(const protocol::Metagraph& metagraph) {
  const std::vector<protocol::Member> members = protocol::members_of(metagraph);
  std::size_t holders = 0, safe = 0;
  bool may_anybody_validate = false, could_somebody = false;
  const protocol::Neuron* last = nullptr;  // of the holders, the one that is replaced last
  for (std::size_t i = 0; i < members.size(); ++i) {
    const protocol::Neuron& neuron = metagraph.neurons[i];
    may_anybody_validate = may_anybody_validate || members[i].may_validate;
    could_somebody =
        could_somebody ||
        (neuron.stake > 0 && metagraph.block >= neuron.registered_block + 2ull * metagraph.tempo);
    if (!members[i].may_validate || !has_set_weights(neuron)) continue;
    ++holders;
    safe += neuron.replaced_after == 0 ? 1 : 0;
    if (last == nullptr || neuron.replaced_after > last->replaced_after) last = &neuron;
  }
  if (safe > 0) return std::nullopt;
  if (holders == 0 && (may_anybody_validate || !could_somebody)) return std::nullopt;
  if (holders == 0)
    return "nobody with stake holds a permit on this subnet: no weights count, and nobody is paid "
           "by merit; a validator needs "
           "stake among the largest, and at least the ledger's threshold";
  return std::string(holders == 1 ? "the only validator with a permit"
                                  : "the last of the validators with a permit") +
         " (uid " + std::to_string(last->uid.value) + ", hotkey " + last->hotkey.brief() +
         "…) is replaced when " +
         (last->replaced_after == 1
              ? "one more hotkey registers"
              : std::to_string(last->replaced_after) + " more hotkeys register") +
         ": the subnet is full, or nearly, and whoever earned least in the last epoch goes; set "
         "weights that agree with "
         "others, or register another validator";
}

UidStep uid_step(const protocol::Metagraph& metagraph, const PublicKey& hotkey, bool has_stake,
                 std::uint64_t spent_rao, std::uint64_t budget_rao) {
  const bool is_there = std::ranges::any_of(
      metagraph.neurons, [&](const auto& neuron) { return neuron.hotkey == hotkey; });
  if (is_there || !has_stake) return UidStep::kNone;
  const bool is_within =
      spent_rao <= budget_rao && metagraph.registration_rao <= budget_rao - spent_rao;
  return is_within ? UidStep::kRegister : UidStep::kTooDear;
}

}  // namespace muster::chain
