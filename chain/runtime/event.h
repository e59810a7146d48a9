// Events: what happened in a block, for those who watch. No rule reads them.
//
// Thread safety: plain values.
#pragma once

#include <variant>
#include <vector>

#include "chain/codec/subtensor_types.h"
#include "chain/runtime/dispatch_error.h"

namespace muster::chain::runtime {

struct EpochRan {
  Netuid netuid = 0;
  std::uint64_t alpha = 0;  // divided
};
struct EpochDeferred {
  Netuid netuid = 0;
};
struct NetworkAdded {
  Netuid netuid = 0;
};
struct NetworkRemoved {
  Netuid netuid = 0;
};
struct NeuronRegistered {
  Netuid netuid = 0;
  std::uint16_t uid = 0;
  AccountId hotkey;
};
struct StakeAdded {
  AccountId coldkey, hotkey;
  Netuid netuid = 0;
  std::uint64_t rao = 0, alpha = 0, fee_rao = 0;
};
struct StakeRemoved {
  AccountId coldkey, hotkey;
  Netuid netuid = 0;
  std::uint64_t rao = 0, alpha = 0, fee_alpha = 0;
};
struct WeightsChanged {
  enum class How : std::uint8_t { kSet, kCommitted, kTimelocked, kRevealed };
  How how = How::kSet;
  Netuid netuid = 0;
  MechanismId mechanism = 0;
  std::uint16_t uid = 0;
};
// Timelocked commits whose epoch has passed: their weights were never seen.
struct TimelockedExpired {
  Netuid netuid = 0;
  std::size_t count = 0;
};
struct Transferred {
  AccountId from, to;
  std::uint64_t rao = 0;
};
// An extrinsic was applied; `error` says that its call failed, which cost it the fee nevertheless.
struct ExtrinsicApplied {
  Hash hash;
  std::optional<DispatchError> error;
  std::uint64_t fee_rao = 0;
};

using Event = std::variant<EpochRan, EpochDeferred, NetworkAdded, NetworkRemoved, NeuronRegistered,
                           StakeAdded, StakeRemoved, WeightsChanged, TimelockedExpired, Transferred,
                           ExtrinsicApplied>;
using Events = std::vector<Event>;

}  // namespace muster::chain::runtime
