// Genesis: what a ledger starts from. Its hash names the ledger and is in every signature.
//
// Root (netuid 0) exists always; other subnets may exist from the start, with their pool, neurons
// and stakes, so that a local network doesn't have to buy them first. Thread safety: plain values,
// pure functions.
#pragma once

#include <string>
#include <vector>

#include "chain/runtime/state.h"

namespace muster::chain::runtime {

// The versions that signatures name: Subtensor's at the spec that the rules are of.
inline constexpr std::uint32_t kSpecVersion = 425;
inline constexpr std::uint32_t kTransactionVersion = 1;

struct GenesisBalance {
  AccountId account;
  std::uint64_t rao = 0;
  bool operator==(const GenesisBalance&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.account, self.rao); }
};

struct GenesisNeuron {
  AccountId coldkey, hotkey;
  bool operator==(const GenesisNeuron&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.coldkey, self.hotkey); }
};

// Behind a hotkey that is a neuron somewhere, or its subnet's owner's.
struct GenesisStake {
  AccountId coldkey, hotkey;
  std::uint64_t amount = 0;  // alpha-rao; of root, rao
  bool operator==(const GenesisStake&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.coldkey, self.hotkey, self.amount); }
};

struct GenesisSubnet {
  Netuid netuid = 1;
  AccountId owner_coldkey, owner_hotkey;  // the owner's hotkey becomes uid 0
  SubnetParameters parameters;
  SubnetRules rules;
  bool started = true;  // as if start_call had been made at block 0
  bool first_permits =
      false;  // block 0 gives permits as an epoch would; else the first epoch gives them
  std::uint64_t tao_reserve = 1'000 * kTao;  // equal reserves: a price of 1
  std::uint64_t alpha_reserve = 1'000 * kTao;
  std::uint64_t burn_rao = kTao;       // registration price at the start
  std::vector<GenesisNeuron> neurons;  // after the owner's, uids in order
  std::vector<GenesisStake> stakes;
  bool operator==(const GenesisSubnet&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.owner_coldkey, self.owner_hotkey, self.parameters, self.rules,
          self.started, self.first_permits, self.tao_reserve, self.alpha_reserve, self.burn_rao,
          self.neurons, self.stakes);
  }
};

struct Genesis {
  std::string name = "muster-local";
  std::uint32_t block_ms = 12'000;
  NetworkParameters network;
  AccountId author;                // receives the fees of all blocks
  std::uint64_t call_fee_rao = 0;  // for every call but the free ones; and
  std::uint64_t byte_fee_rao = 1;  // for every byte of an extrinsic that pays
  std::vector<GenesisBalance> balances;
  std::vector<GenesisNeuron> root_neurons;
  std::vector<GenesisStake> root_stakes;
  std::vector<GenesisSubnet> subnets;
  bool operator==(const Genesis&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.name, self.block_ms, self.network, self.author, self.call_fee_rao, self.byte_fee_rao,
          self.balances, self.root_neurons, self.root_stakes, self.subnets);
  }
};

// Errors: kInvalidArgument, naming the field as "ledger.FIELD".
[[nodiscard]] Status validate(const Genesis& genesis);
[[nodiscard]] Hash genesis_hash(const Genesis& genesis);
// The state of block 0. REQUIRES: a valid genesis.
[[nodiscard]] State make_state(const Genesis& genesis);

}  // namespace muster::chain::runtime
