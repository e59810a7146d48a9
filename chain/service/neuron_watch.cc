#include "chain/service/neuron_watch.h"

#include <algorithm>

namespace muster::chain {

std::optional<std::string> permit_warning(const protocol::Metagraph& metagraph) {
  std::size_t validators = 0, holders = 0, safe = 0;
  const protocol::Neuron* last = nullptr;  // of the holders, the one that is replaced last
  for (const protocol::Neuron& neuron : metagraph.neurons) {
    if (neuron.role != Role::kValidator) continue;
    const bool is_new = metagraph.block < neuron.registered_block + 2ull * metagraph.tempo;
    validators += is_new ? 0 : 1;
    if (!neuron.permit) continue;
    ++holders;
    safe += neuron.replaced_after == 0 ? 1 : 0;
    if (last == nullptr || neuron.replaced_after > last->replaced_after) last = &neuron;
  }
  if (safe > 0) return std::nullopt;
  if (holders == 0 && validators == 0) return std::nullopt;
  if (holders == 0)
    return "no validator of this subnet holds a permit: no weights count, and nobody is paid by merit; a validator needs "
           "stake among the largest";
  return std::string(holders == 1 ? "the only validator with a permit" : "the last of the validators with a permit") +
         " (uid " + std::to_string(last->uid.value) + ", hotkey " + last->hotkey.brief() + "…) is replaced when " +
         (last->replaced_after == 1 ? "one more hotkey registers"
                                    : std::to_string(last->replaced_after) + " more hotkeys register") +
         ": the subnet is full, or nearly, and whoever earned least in the last epoch goes; set weights that agree with "
         "others, register another validator, or let the owner raise uids_max or immunity_period";
}

UidStep uid_step(const protocol::Metagraph& metagraph, const PublicKey& hotkey, bool was_validator,
                 std::uint64_t spent_rao, std::uint64_t budget_rao) {
  const bool is_there = std::ranges::any_of(metagraph.neurons,
                                            [&](const auto& neuron) { return neuron.hotkey == hotkey; });
  if (is_there || !was_validator) return UidStep::kNone;
  const bool is_within = spent_rao <= budget_rao && metagraph.registration_rao <= budget_rao - spent_rao;
  return is_within ? UidStep::kRegister : UidStep::kTooDear;
}

}  // namespace muster::chain
