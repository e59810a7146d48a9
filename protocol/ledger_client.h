// LedgerClient: what the nodes need of a ledger, whichever it is: in process, the daemon, or a chain.
//
// Thread safety: one thread. Calls may block for a network round trip.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"

namespace muster::protocol {

struct Neuron {
  Uid uid;
  PublicKey hotkey;
  Role role = Role::kMiner;
  std::uint64_t stake = 0;             // rao
  std::uint64_t registered_block = 0;
  std::uint64_t last_update = 0;       // block of its last weights
  std::uint16_t incentive = 0;         // share of the miners' emission in the last epoch, of 65535
  std::uint64_t earned = 0;            // rao of alpha since registration
};

struct Metagraph {
  std::uint64_t block = 0;
  Hash block_hash;
  std::uint32_t tempo = 0;             // blocks per epoch
  std::vector<Neuron> neurons;         // ascending by uid
};

class LedgerClient {
 public:
  virtual ~LedgerClient() = default;
  [[nodiscard]] virtual Result<Hash> genesis_hash() = 0;
  [[nodiscard]] virtual Result<Metagraph> metagraph() = 0;

  // Submitted under this client's hotkey; in force from the next block on. Errors: the ledger's reason.
  [[nodiscard]] virtual Status register_neuron(Role role) = 0;
  [[nodiscard]] virtual Status add_stake(std::uint64_t rao) = 0;
  // Commits to weights that reveal_weights shows in the next epoch: nobody can copy them in time.
  [[nodiscard]] virtual Status commit_weights(const Hash& commitment) = 0;
  [[nodiscard]] virtual Status reveal_weights(const std::vector<Uid>& uids,
                                              const std::vector<std::uint16_t>& weights,
                                              const Hash& salt) = 0;
};

using ValidatorStakes = std::map<PublicKey, std::uint64_t>;  // rao

[[nodiscard]] inline Result<ValidatorStakes> validator_stakes(LedgerClient& ledger) {
  MUSTER_TRY(const Metagraph metagraph, ledger.metagraph());
  ValidatorStakes stakes;
  for (const Neuron& neuron : metagraph.neurons)
    if (neuron.role == Role::kValidator) stakes[neuron.hotkey] = neuron.stake;
  return stakes;
}

[[nodiscard]] inline Hash weights_commitment(const PublicKey& hotkey, const std::vector<Uid>& uids,
                                             const std::vector<std::uint16_t>& weights,
                                             const Hash& salt) {
  ByteWriter writer;
  for (const Uid uid : uids) writer.write(uid.value);
  for (const std::uint16_t weight : weights) writer.write(weight);
  return tagged_hash("muster/weights", {hotkey.bytes, writer.bytes(), salt.bytes});
}

}  // namespace muster::protocol
