#include "verify/weight_setter.h"

#include <algorithm>

#include "base/cipher.h"

namespace muster::verify {
protocol::WeightVector WeightSetter::vector_for(
    const protocol::Metagraph& metagraph, const std::map<PublicKey, std::uint16_t>& weights) const {
  protocol::WeightVector vector;
  for (const auto& neuron : metagraph.neurons) {
    const auto weight = weights.find(neuron.hotkey);
    if (weight == weights.end() || weight->second == 0) continue;
    vector.uids.push_back(neuron.uid);
    vector.weights.push_back(weight->second);
  }
  // Derived, so that a restart between commit and reveal can still reveal the same vector.
  ByteWriter info;
  info.append(bytes_of("muster/weights-salt"));
  info.write(netuid_);
  info.write(metagraph.epoch);
  hkdf_sha256(key_.seed(), ledger_genesis_.bytes, info.bytes(), vector.salt.bytes);
  return vector;
}

WeightSetter::Step WeightSetter::next(const protocol::Metagraph& metagraph,
                                      const std::map<PublicKey, std::uint16_t>& weights) {
  const std::uint64_t epoch = metagraph.epoch;
  // A commit that crossed the end of an epoch on its way is to be revealed one later than it seems.
  if (committed_ && epoch > committed_epoch_ && epoch <= committed_epoch_ + 2)
    return Reveal{*committed_};
  if (committed_ && epoch <= committed_epoch_) return std::monostate{};
  committed_.reset();
  protocol::WeightVector vector = vector_for(metagraph, weights);
  if (vector.uids.empty()) return std::monostate{};
  proposed_ = std::move(vector);
  proposed_epoch_ = epoch;
  return Commit{*proposed_};
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
