// Views: what clients ask of a state, put together for them.
//
// Source: subtensor: rpc_info/{metagraph,subnet_info,stake_info}.rs. Thread safety: pure functions
// of plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/runtime/state.h"

namespace muster::chain::runtime {

// One neuron as it is now: stakes are live, the rest is of the last epoch.
struct NeuronView {
  std::uint16_t uid = 0;
  AccountId hotkey, coldkey;
  bool active = false;
  bool validator_permit = false;
  std::uint64_t last_update = 0;
  std::uint64_t block_at_registration = 0;
  std::uint64_t emission = 0;  // alpha-rao that the last epoch gave it
  std::uint16_t incentive = 0, dividends = 0, consensus = 0, validator_trust = 0;  // of 65535
  std::uint64_t alpha_stake = 0;  // with what children lend and parents borrow
  std::uint64_t root_stake = 0;   // likewise, rao
  std::uint64_t total_stake = 0;  // alpha + root by its weight
  std::optional<Axon> axon;
};

struct Metagraph {
  Netuid netuid = 0;
  MechanismId mechanism = 0;
  std::uint64_t block = 0;  // being built
  AccountId owner_coldkey, owner_hotkey;
  SubnetParameters parameters;
  std::uint64_t last_epoch_block = 0;
  std::optional<std::uint64_t> next_epoch_block;
  std::uint64_t epoch_index = 0;
  std::uint64_t blocks_since_last_step = 0;
  Pool pool;
  U64F64 price;  // TAO per alpha
  I96F32 moving_price;
  std::uint64_t alpha_out = 0;
  std::uint64_t burn_rao = 0;       // registration price
  std::vector<NeuronView> neurons;  // ascending by uid
};
// Nothing if there is no such subnet or mechanism.
[[nodiscard]] std::optional<Metagraph> metagraph(const State& state, Netuid netuid,
                                                 MechanismId mechanism = 0);

struct SubnetInfo {
  Netuid netuid = 0;
  AccountId owner_coldkey, owner_hotkey;
  std::uint64_t registered_block = 0;
  bool started = false;
  std::size_t neurons = 0;
  std::uint16_t tempo = 0;
  std::optional<std::uint64_t> next_epoch_block;
  Pool pool;
  U64F64 price;
  I96F32 moving_price;
  U64F64 emission_share;  // of the next block's TAO
  std::uint64_t alpha_out = 0;
  std::uint64_t burn_rao = 0;
  std::uint64_t pending_alpha = 0;  // waits for the next epoch
  std::uint64_t tao_in_emission = 0, alpha_in_emission = 0, alpha_out_emission = 0;
};
// All but root, ascending.
[[nodiscard]] std::vector<SubnetInfo> subnet_infos(const State& state);

struct StakeInfo {
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint64_t amount = 0;     // alpha-rao; of root, rao
  std::uint64_t value_rao = 0;  // at the present price
};
// All of a coldkey's stakes that aren't zero.
[[nodiscard]] std::vector<StakeInfo> stakes_of_coldkey(const State& state,
                                                       const AccountId& coldkey);

struct HalvingInfo {
  std::uint64_t issuance_rao = 0;
  std::uint64_t block_emission_rao = 0;  // of the next block
  int halvings = 0;                      // that have happened
  std::uint64_t next_issuance_rao = 0;   // at which the next one comes
  std::uint64_t blocks_left = 0;         // until then, if nothing is recycled
};
[[nodiscard]] HalvingInfo halving_info(const State& state);

// What differs from a sum that must be equal or a bound that must hold, in words; empty for a sound
// state. For tests and for a daemon that wants to know before it serves: takes time linear in the
// state.
[[nodiscard]] std::vector<std::string> find_violations(const State& state);

}  // namespace muster::chain::runtime
