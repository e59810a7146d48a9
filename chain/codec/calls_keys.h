// Calls about keys and subnets: registration, serving, takes, children, commitments.
//
// Source: subtensor: macros/dispatches.rs, pallets/commitments. Thread safety: plain values.
#pragma once

#include "chain/codec/call_id.h"
#include "chain/codec/subtensor_types.h"

namespace muster::chain {

// Proof of work is no longer asked for: pays the burn like burned_register.
struct Register {
  static constexpr CallId kId{kSubtensorPallet, 6, "register"};
  Netuid netuid = 0;
  std::uint64_t block_number = 0;
  std::uint64_t nonce = 0;
  BoundedBytes<64> work;
  AccountId hotkey, coldkey;
  bool operator==(const Register&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.block_number, self.nonce, self.work, self.hotkey, self.coldkey);
  }
};

struct BurnedRegister {
  static constexpr CallId kId{kSubtensorPallet, 7, "burned_register"};
  Netuid netuid = 0;
  AccountId hotkey;
  bool operator==(const BurnedRegister&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid, self.hotkey); }
};

// Registers only while the burn is at most limit_price_rao.
struct RegisterLimit {
  static constexpr CallId kId{kSubtensorPallet, 134, "register_limit"};
  Netuid netuid = 0;
  AccountId hotkey;
  std::uint64_t limit_price_rao = 0;
  bool operator==(const RegisterLimit&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.hotkey, self.limit_price_rao);
  }
};

struct RootRegister {
  static constexpr CallId kId{kSubtensorPallet, 62, "root_register"};
  AccountId hotkey;
  bool operator==(const RootRegister&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey); }
};

struct RegisterNetwork {
  static constexpr CallId kId{kSubtensorPallet, 59, "register_network"};
  AccountId hotkey;
  bool operator==(const RegisterNetwork&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey); }
};

struct StartCall {
  static constexpr CallId kId{kSubtensorPallet, 92, "start_call"};
  Netuid netuid = 0;
  bool operator==(const StartCall&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid); }
};

struct TryAssociateHotkey {
  static constexpr CallId kId{kSubtensorPallet, 91, "try_associate_hotkey"};
  AccountId hotkey;
  bool operator==(const TryAssociateHotkey&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey); }
};

struct ServeAxon {
  static constexpr CallId kId{kSubtensorPallet, 4, "serve_axon"};
  Netuid netuid = 0;
  std::uint32_t version = 0;
  Uint128 ip = 0;
  std::uint16_t port = 0;
  std::uint8_t ip_type = 4;  // 4 or 6
  std::uint8_t protocol = 0;
  std::uint8_t placeholder1 = 0, placeholder2 = 0;
  bool operator==(const ServeAxon&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.version, self.ip, self.port, self.ip_type, self.protocol,
          self.placeholder1, self.placeholder2);
  }
};

struct IncreaseTake {
  static constexpr CallId kId{kSubtensorPallet, 66, "increase_take"};
  AccountId hotkey;
  std::uint16_t take = 0;  // of 65535
  bool operator==(const IncreaseTake&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey, self.take); }
};

struct DecreaseTake {
  static constexpr CallId kId{kSubtensorPallet, 65, "decrease_take"};
  AccountId hotkey;
  std::uint16_t take = 0;
  bool operator==(const DecreaseTake&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey, self.take); }
};

struct SetChildkeyTake {
  static constexpr CallId kId{kSubtensorPallet, 75, "set_childkey_take"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::uint16_t take = 0;
  bool operator==(const SetChildkeyTake&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey, self.netuid, self.take); }
};

struct SetChildren {
  static constexpr CallId kId{kSubtensorPallet, 67, "set_children"};
  AccountId hotkey;
  Netuid netuid = 0;
  std::vector<std::pair<std::uint64_t, AccountId>> children;  // proportion of 2^64 - 1, child
  bool operator==(const SetChildren&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey, self.netuid, self.children); }
};

struct SetAutoParentDelegation {
  static constexpr CallId kId{kSubtensorPallet, 135, "set_auto_parent_delegation_enabled"};
  AccountId hotkey;
  bool enabled = true;
  bool operator==(const SetAutoParentDelegation&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.hotkey, self.enabled); }
};

// Where a coldkey's mining rewards of a subnet are staked.
struct SetAutoStakeHotkey {
  static constexpr CallId kId{kSubtensorPallet, 114, "set_coldkey_auto_stake_hotkey"};
  Netuid netuid = 0;
  AccountId hotkey;
  bool operator==(const SetAutoStakeHotkey&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid, self.hotkey); }
};

struct SetCommitment {
  static constexpr CallId kId{kCommitmentsPallet, 0, "set_commitment"};
  Netuid netuid = 0;
  std::vector<CommitmentData> data;
  bool operator==(const SetCommitment&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid, self.data); }
};

}  // namespace muster::chain
