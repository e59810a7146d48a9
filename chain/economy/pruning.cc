#include "chain/economy/pruning.h"

#include <algorithm>
#include <tuple>

namespace muster::chain {
namespace {

std::tuple<std::uint64_t, std::uint64_t> rank_of(const PrunableNeuron& neuron) {
  return {neuron.emission, neuron.registered_at};
}

}  // namespace

bool is_immune(std::uint64_t block, std::uint64_t registered_at, std::uint16_t immunity_period) {
  return (block > registered_at ? block - registered_at : 0) < immunity_period;
}

std::optional<std::uint16_t> neuron_to_prune(std::span<const PrunableNeuron> neurons,
                                             std::uint64_t block, std::uint16_t immunity_period,
                                             std::uint16_t non_immune_min) {
  std::optional<std::uint16_t> immune;
  std::optional<std::uint16_t> free;
  std::size_t free_count = 0;
  for (std::size_t uid = 0; uid < neurons.size(); ++uid) {
    const PrunableNeuron& neuron = neurons[uid];
    if (neuron.is_immortal) continue;
    const bool now_immune = is_immune(block, neuron.registered_at, immunity_period);
    auto& best = now_immune ? immune : free;
    if (!now_immune) ++free_count;
    if (!best || rank_of(neuron) < rank_of(neurons[*best])) best = static_cast<std::uint16_t>(uid);
  }
  return free_count > non_immune_min ? free : immune;
}

std::vector<std::optional<std::uint32_t>> registrations_until_replaced(
    std::span<const PrunableNeuron> neurons, std::uint64_t block, std::uint16_t immunity_period,
    std::uint16_t non_immune_min, std::size_t free_places, std::uint32_t count) {
  std::vector<std::optional<std::uint32_t>> until(neurons.size());
  std::vector<PrunableNeuron> then(neurons.begin(), neurons.end());
  for (std::uint32_t number = 1; number <= count; ++number) {
    const PrunableNeuron newcomer{0, block, false};
    if (free_places > 0) {
      --free_places;
      then.push_back(newcomer);
      continue;
    }
    const auto uid = neuron_to_prune(then, block, immunity_period, non_immune_min);
    if (!uid) break;
    then[*uid] = newcomer;
    if (*uid < until.size() && !until[*uid]) until[*uid] = number;
  }
  return until;
}

std::vector<std::uint16_t> immortal_uids(std::span<const OwnedNeuron> owned,
                                         std::optional<std::uint16_t> subnet_hotkey,
                                         std::uint16_t limit) {
  std::vector<OwnedNeuron> oldest(owned.begin(), owned.end());
  std::sort(oldest.begin(), oldest.end(), [](const OwnedNeuron& a, const OwnedNeuron& b) {
    return std::tie(a.registered_at, a.uid) < std::tie(b.registered_at, b.uid);
  });
  oldest.resize(std::min<std::size_t>(oldest.size(), limit));
  std::vector<std::uint16_t> uids;
  for (const OwnedNeuron& neuron : oldest) uids.push_back(neuron.uid);
  if (subnet_hotkey && std::find(uids.begin(), uids.end(), *subnet_hotkey) == uids.end()) {
    uids.insert(uids.begin(), *subnet_hotkey);
    uids.resize(std::min<std::size_t>(uids.size(), limit));
  }
  return uids;
}

std::optional<std::uint16_t> subnet_to_prune(std::span<const PrunableSubnet> subnets,
                                             std::uint64_t block, std::uint64_t immunity_period) {
  const PrunableSubnet* best = nullptr;
  for (const PrunableSubnet& subnet : subnets) {
    std::uint64_t immune_until;
    if (__builtin_add_overflow(subnet.registered_at, immunity_period, &immune_until))
      immune_until = UINT64_MAX;
    if (block < immune_until) continue;
    if (best == nullptr || std::tie(subnet.moving_price, subnet.registered_at) <
                               std::tie(best->moving_price, best->registered_at))
      best = &subnet;
  }
  if (best == nullptr) return std::nullopt;
  return best->netuid;
}

}  // namespace muster::chain
