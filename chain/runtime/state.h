// State: all that a ledger knows at one moment, as plain values.
//
// Equal states have equal encodings, so state_hash names one. Nothing here computes: rules are in
// the other files of this folder. Source: subtensor: pallets/subtensor/src/lib.rs (storage). Thread
// safety: plain values.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "chain/runtime/subnet.h"

namespace muster::chain::runtime {

// An account: whoever can sign. Accounts under the existential deposit don't live, but for their
// nonce.
struct Account {
  std::uint64_t free_rao = 0;
  std::uint32_t nonce = 0;
  static void fields(auto& self, auto& codec) { codec(self.free_rao, self.nonce); }
};

// What belongs to a hotkey on all subnets.
struct HotkeyRecord {
  AccountId owner;
  std::optional<std::uint16_t> take;  // a delegate's, of 65535
  bool auto_parent = true;            // a root validator's: becomes a parent of new subnets' owners
  std::uint64_t last_take_block = 0;
  std::map<Netuid, I96F32> root_claimable;  // alpha per rao of root stake
  static void fields(auto& self, auto& codec) {
    codec(self.owner, self.take, self.auto_parent, self.last_take_block, self.root_claimable);
  }
};

// What belongs to a coldkey on all subnets.
struct ColdkeyRecord {
  std::vector<AccountId> owned_hotkeys;
  std::vector<AccountId> staking_hotkeys;  // it has, or had, stake on
  RootClaimType root_claim_type;
  std::map<Netuid, AccountId> auto_stake_hotkeys;
  static void fields(auto& self, auto& codec) {
    codec(self.owned_hotkeys, self.staking_hotkeys, self.root_claim_type, self.auto_stake_hotkeys);
  }
};

struct RootClaimKey {
  Netuid netuid = 0;
  AccountId hotkey, coldkey;
  auto operator<=>(const RootClaimKey&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid, self.hotkey, self.coldkey); }
};

struct State {
  std::uint64_t block = 0;  // of the block in which this is the state
  NetworkParameters network;
  std::uint64_t issuance_rao = 0;  // = the sum of all accounts
  std::uint64_t stake_rao = 0;     // TAO in pools, and on root
  std::map<AccountId, Account> accounts;
  std::map<AccountId, HotkeyRecord> hotkeys;
  std::map<AccountId, ColdkeyRecord> coldkeys;
  std::map<Netuid, Subnet> subnets;  // root always
  std::map<RootClaimKey, Uint128> root_claimed;
  std::vector<AccountId> root_stakers;  // coldkeys whose root dividends are claimed in turn
  std::map<AccountId, std::uint64_t> root_staker_indices;
  std::uint64_t last_lock_rao = 1'000 * kTao;  // what the newest subnet cost
  std::uint64_t last_network_block = 0;        // when it was registered
  U64F64 emission_bar;                         // EmissionRule::kGated

  [[nodiscard]] bool exists(Netuid netuid) const { return subnets.contains(netuid); }
  static void fields(auto& self, auto& codec) {
    codec(self.block, self.network, self.issuance_rao, self.stake_rao, self.accounts, self.hotkeys,
          self.coldkeys, self.subnets, self.root_claimed, self.root_stakers,
          self.root_staker_indices, self.last_lock_rao, self.last_network_block, self.emission_bar);
  }
};

// Every field in order, SCALE.
[[nodiscard]] Bytes encode_state(const State& state);
// Errors: those of error_of(ScaleFault). Bytes that encode_state gave, not a peer's: the rules
// aren't checked.
[[nodiscard]] Result<State> decode_state(ByteSpan bytes);
[[nodiscard]] Hash state_hash(const State& state);

}  // namespace muster::chain::runtime
