// Calls that move TAO and alpha: transfers, staking, unstaking, moving, swapping, burning.
//
// Source: subtensor: macros/dispatches.rs; pallet_balances. Thread safety: plain values.
#pragma once

#include "chain/codec/call_id.h"
#include "chain/codec/subtensor_types.h"

namespace muster::chain {

// May leave the sender under the existential deposit, which ends its account.
struct TransferAllowDeath {
  static constexpr CallId kId{kBalancesPallet, 0, "transfer_allow_death"};
  AccountAddress destination;
  Compact<std::uint64_t> amount_rao;
  bool operator==(const TransferAllowDeath&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.destination, self.amount_rao); }
};

struct TransferKeepAlive {
  static constexpr CallId kId{kBalancesPallet, 3, "transfer_keep_alive"};
  AccountAddress destination;
  Compact<std::uint64_t> amount_rao;
  bool operator==(const TransferKeepAlive&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.destination, self.amount_rao); }
};

struct AddStake {
  static constexpr CallId kId{kSubtensorPallet, 2, "add_stake"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint64_t amount_rao = 0;
  bool operator==(const AddStake&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey, self.netuid, self.amount_rao); }
};

struct AddStakeLimit {
  static constexpr CallId kId{kSubtensorPallet, 88, "add_stake_limit"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint64_t amount_rao = 0;
  std::uint64_t limit_price_rao = 0;  // rao per 1e9 alpha-rao
  bool allow_partial = false;
  bool operator==(const AddStakeLimit&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.netuid, self.amount_rao, self.limit_price_rao, self.allow_partial);
  }
};

struct AddStakeBurn {
  static constexpr CallId kId{kSubtensorPallet, 132, "add_stake_burn"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint64_t amount_rao = 0;
  std::optional<std::uint64_t> limit_price_rao;
  bool operator==(const AddStakeBurn&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.netuid, self.amount_rao, self.limit_price_rao);
  }
};

struct RemoveStake {
  static constexpr CallId kId{kSubtensorPallet, 3, "remove_stake"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint64_t amount_alpha = 0;
  bool operator==(const RemoveStake&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.netuid, self.amount_alpha);
  }
};

struct RemoveStakeLimit {
  static constexpr CallId kId{kSubtensorPallet, 89, "remove_stake_limit"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint64_t amount_alpha = 0;
  std::uint64_t limit_price_rao = 0;
  bool allow_partial = false;
  bool operator==(const RemoveStakeLimit&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.netuid, self.amount_alpha, self.limit_price_rao, self.allow_partial);
  }
};

struct RemoveStakeFullLimit {
  static constexpr CallId kId{kSubtensorPallet, 103, "remove_stake_full_limit"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::optional<std::uint64_t> limit_price_rao;
  bool operator==(const RemoveStakeFullLimit&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.netuid, self.limit_price_rao);
  }
};

struct UnstakeAll {
  static constexpr CallId kId{kSubtensorPallet, 83, "unstake_all"};
  AccountId hotkey;
  bool operator==(const UnstakeAll&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey); }
};

// Unstakes from every subnet but root, and stakes the proceeds to root.
struct UnstakeAllAlpha {
  static constexpr CallId kId{kSubtensorPallet, 84, "unstake_all_alpha"};
  AccountId hotkey;
  bool operator==(const UnstakeAllAlpha&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey); }
};

struct MoveStake {
  static constexpr CallId kId{kSubtensorPallet, 85, "move_stake"};
  AccountId origin_hotkey, destination_hotkey;
  Netuid origin_netuid = 0, destination_netuid = 0;
  std::uint64_t amount_alpha = 0;
  bool operator==(const MoveStake&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.origin_hotkey, self.destination_hotkey, self.origin_netuid, self.destination_netuid,
          self.amount_alpha);
  }
};

struct TransferStake {
  static constexpr CallId kId{kSubtensorPallet, 86, "transfer_stake"};
  AccountId destination_coldkey, hotkey;
  Netuid origin_netuid = 0, destination_netuid = 0;
  std::uint64_t amount_alpha = 0;
  bool operator==(const TransferStake&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.destination_coldkey, self.hotkey, self.origin_netuid, self.destination_netuid,
          self.amount_alpha);
  }
};

struct SwapStake {
  static constexpr CallId kId{kSubtensorPallet, 87, "swap_stake"};
  AccountId hotkey;
  Netuid origin_netuid = 0, destination_netuid = 0;
  std::uint64_t amount_alpha = 0;
  bool operator==(const SwapStake&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.origin_netuid, self.destination_netuid, self.amount_alpha);
  }
};

struct SwapStakeLimit {
  static constexpr CallId kId{kSubtensorPallet, 90, "swap_stake_limit"};
  AccountId hotkey;
  Netuid origin_netuid = 0, destination_netuid = 0;
  std::uint64_t amount_alpha = 0;
  std::uint64_t limit_price_rao = 0;
  bool allow_partial = false;
  bool operator==(const SwapStakeLimit&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.origin_netuid, self.destination_netuid, self.amount_alpha,
          self.limit_price_rao, self.allow_partial);
  }
};

// Takes alpha out of the issuance.
struct RecycleAlpha {
  static constexpr CallId kId{kSubtensorPallet, 101, "recycle_alpha"};
  AccountId hotkey;
  std::uint64_t amount_alpha = 0;
  Netuid netuid = 0;
  bool operator==(const RecycleAlpha&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.amount_alpha, self.netuid);
  }
};

// Destroys alpha; the issuance still counts it.
struct BurnAlpha {
  static constexpr CallId kId{kSubtensorPallet, 102, "burn_alpha"};
  AccountId hotkey;
  std::uint64_t amount_alpha = 0;
  Netuid netuid = 0;
  bool operator==(const BurnAlpha&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.amount_alpha, self.netuid);
  }
};

struct ClaimRoot {
  static constexpr CallId kId{kSubtensorPallet, 121, "claim_root"};
  std::set<Netuid> subnets;
  bool operator==(const ClaimRoot&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.subnets); }
};

struct SetRootClaimType {
  static constexpr CallId kId{kSubtensorPallet, 122, "set_root_claim_type"};
  RootClaimType type;
  bool operator==(const SetRootClaimType&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.type); }
};

}  // namespace muster::chain
