#include "cli/ledger/validator_needs.h"

#include "cli/units.h"

namespace muster::cli {

std::vector<std::string> validator_needs(const protocol::Metagraph& metagraph,
                                         const protocol::Neuron& own) {
  std::vector<std::string> needs;
  if (own.stake == 0 || own.stake < metagraph.stake_min)
    needs.push_back("stake: validating needs " +
                    (metagraph.stake_min > 0 ? exact_tao(metagraph.stake_min) + " alpha"
                                             : std::string("some")) +
                    ", it has " + exact_tao(own.stake) + "; `muster ledger stake add` buys some");
  if (!own.permit) {
    const std::uint64_t next = metagraph.next_epoch_block;
    needs.push_back("permit: the end of an epoch gives it to the largest stakes" +
                    (next > metagraph.block
                         ? "; the next one ends at block " + std::to_string(next) + ", in " +
                               std::to_string(next - metagraph.block) + " blocks"
                         : std::string("; the next one ends now")));
  }
  return needs;
}

}  // namespace muster::cli
