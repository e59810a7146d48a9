#include "verify/weight_setter.h"

#include <algorithm>

#include "base/cipher.h"

namespace muster::verify {
namespace {

// The epoch that the block after `block` belongs to, and whether that block still does so for sure.
std::uint64_t epoch_after(const protocol::Metagraph& metagraph) {
  return (metagraph.block + 1) / metagraph.tempo;
}

}  // namespace

WeightSetter::Vector WeightSetter::vector_for(
    const protocol::Metagraph& metagraph,
    const std::map<PublicKey, std::uint16_t>& weights) const {
  Vector vector;
  for (const auto& neuron : metagraph.neurons) {
    const auto weight = weights.find(neuron.hotkey);
    if (neuron.role != Role::kMiner || weight == weights.end() || weight->second == 0) continue;
    vector.uids.push_back(neuron.uid);
    vector.weights.push_back(weight->second);
  }
  // Derived, so that a restart between commit and reveal can still reveal the same vector.
  ByteWriter info;
  info.append(bytes_of("muster/weights-salt"));
  info.write(epoch_after(metagraph));
  hkdf_sha256(key_.seed(), {}, info.bytes(), vector.salt.bytes);
  return vector;
}

WeightSetter::Step WeightSetter::next(const protocol::Metagraph& metagraph,
                                      const std::map<PublicKey, std::uint16_t>& weights) {
  const std::uint64_t epoch = epoch_after(metagraph);
  if (committed_ && epoch == committed_epoch_ + 1) return Reveal{*committed_};
  if (committed_ && epoch <= committed_epoch_) return std::monostate{};
  committed_.reset();
  Vector vector = vector_for(metagraph, weights);
  if (vector.uids.empty()) return std::monostate{};
  const Hash commitment = protocol::weights_commitment(key_.public_key(), vector.uids,
                                                       vector.weights, vector.salt);
  proposed_ = std::move(vector);
  proposed_epoch_ = epoch;
  return Commit{commitment};
}

void WeightSetter::submitted(const Step& step) {
  if (std::holds_alternative<Commit>(step)) {
    committed_ = std::exchange(proposed_, std::nullopt);
    committed_epoch_ = proposed_epoch_;
  } else if (std::holds_alternative<Reveal>(step)) {
    in_force_ = std::exchange(committed_, std::nullopt);
  }
}

}  // namespace muster::verify
