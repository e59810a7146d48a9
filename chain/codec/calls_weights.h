// Weight-setting calls of SubtensorModule: set, commit, reveal, for a subnet's only or for a named
// mechanism.
//
// Source: subtensor: macros/dispatches.rs. Thread safety: plain values.
#pragma once

#include "chain/codec/call_id.h"
#include "chain/codec/subtensor_types.h"

namespace muster::chain {

using U16s = std::vector<std::uint16_t>;

struct SetWeights {
  static constexpr CallId kId{kSubtensorPallet, 0, "set_weights"};
  Netuid netuid = 0;
  U16s uids, weights;
  std::uint64_t version_key = 0;
  bool operator==(const SetWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.uids, self.weights, self.version_key);
  }
};

struct SetMechanismWeights {
  static constexpr CallId kId{kSubtensorPallet, 119, "set_mechanism_weights"};
  Netuid netuid = 0;
  MechanismId mechanism = 0;
  U16s uids, weights;
  std::uint64_t version_key = 0;
  bool operator==(const SetMechanismWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.mechanism, self.uids, self.weights, self.version_key);
  }
};

struct CommitWeights {
  static constexpr CallId kId{kSubtensorPallet, 96, "commit_weights"};
  Netuid netuid = 0;
  Hash commit_hash;  // chain/codec/commit_hash.h
  bool operator==(const CommitWeights&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid, self.commit_hash); }
};

struct CommitMechanismWeights {
  static constexpr CallId kId{kSubtensorPallet, 115, "commit_mechanism_weights"};
  Netuid netuid = 0;
  MechanismId mechanism = 0;
  Hash commit_hash;
  bool operator==(const CommitMechanismWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.mechanism, self.commit_hash);
  }
};

struct RevealWeights {
  static constexpr CallId kId{kSubtensorPallet, 97, "reveal_weights"};
  Netuid netuid = 0;
  U16s uids, weights, salt;
  std::uint64_t version_key = 0;
  bool operator==(const RevealWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.uids, self.weights, self.salt, self.version_key);
  }
};

struct RevealMechanismWeights {
  static constexpr CallId kId{kSubtensorPallet, 116, "reveal_mechanism_weights"};
  Netuid netuid = 0;
  MechanismId mechanism = 0;
  U16s uids, weights, salt;
  std::uint64_t version_key = 0;
  bool operator==(const RevealMechanismWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.mechanism, self.uids, self.weights, self.salt, self.version_key);
  }
};

struct CommitTimelockedWeights {
  static constexpr CallId kId{kSubtensorPallet, 113, "commit_timelocked_weights"};
  Netuid netuid = 0;
  BoundedBytes<kTimelockedCommitBytesMax> commit;
  std::uint64_t reveal_round = 0;
  std::uint16_t commit_reveal_version = 4;
  bool operator==(const CommitTimelockedWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.commit, self.reveal_round, self.commit_reveal_version);
  }
};

struct CommitTimelockedMechanismWeights {
  static constexpr CallId kId{kSubtensorPallet, 118, "commit_timelocked_mechanism_weights"};
  Netuid netuid = 0;
  MechanismId mechanism = 0;
  BoundedBytes<kTimelockedCommitBytesMax> commit;
  std::uint64_t reveal_round = 0;
  std::uint16_t commit_reveal_version = 4;
  bool operator==(const CommitTimelockedMechanismWeights&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.netuid, self.mechanism, self.commit, self.reveal_round, self.commit_reveal_version);
  }
};

}  // namespace muster::chain
