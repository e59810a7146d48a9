// The plain values that Subtensor's calls carry: network numbers, commitment data, root claim
// choices.
//
// Source: subtensor: pallets/subtensor/src/lib.rs, pallets/commitments/src/types.rs. Thread safety:
// plain values.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "chain/codec/scale.h"
#include "chain/codec/ss58.h"

namespace muster::chain {

// A subnet's number; 0 is the root network.
using Netuid = std::uint16_t;
inline constexpr Netuid kRootNetuid = 0;
// An incentive mechanism's number within a subnet.
using MechanismId = std::uint8_t;

// One timelocked ciphertext of weights.
inline constexpr std::size_t kTimelockedCommitBytesMax = 5000;

// What becomes of the incentive that goes to an owner's own hotkeys.
enum class OwnerIncentive : std::uint8_t { kBurn, kRecycle };
// What a coldkey gets for its root dividends: TAO, alpha, or alpha of `subnets` and TAO of the
// others.
struct RootClaimType {
  enum class Kind : std::uint8_t { kSwap, kKeep, kKeepSubnets };
  Kind kind = Kind::kSwap;
  std::set<Netuid> subnets;  // of kKeepSubnets
  bool operator==(const RootClaimType&) const = default;
  [[nodiscard]] bool keeps(Netuid netuid) const {
    return kind == Kind::kKeep || (kind == Kind::kKeepSubnets && subnets.contains(netuid));
  }
  static void fields(const RootClaimType& type, ScaleWriter& codec);
  static void fields(RootClaimType& type, ScaleReader& codec);
};

// An account named by its id, the only address form that Subtensor resolves.
struct AccountAddress {
  AccountId account;
  bool operator==(const AccountAddress&) const = default;
  static void fields(const AccountAddress& address, ScaleWriter& codec);
  static void fields(AccountAddress& address, ScaleReader& codec);
};

// One field of a commitment.
struct CommitmentData {
  enum class Kind : std::uint8_t {
    kNone,
    kRaw,     // at most kRawBytesMax bytes
    kBlake2,  // 32 bytes each
    kSha256,
    kKeccak,
    kSha3,
    kTimelocked,  // at most kTimelockedBytesMax bytes, and a drand round
    kResetBonds,
    kBigRaw,  // at most kBigRawBytesMax bytes
  };
  static constexpr std::size_t kRawBytesMax = 128;
  static constexpr std::size_t kTimelockedBytesMax = 1024;
  static constexpr std::size_t kBigRawBytesMax = 512;

  Kind kind = Kind::kNone;
  Bytes bytes;
  std::uint64_t reveal_round = 0;  // of kTimelocked
  bool operator==(const CommitmentData&) const = default;
  // REQUIRES: at most kBigRawBytesMax bytes. The shortest raw form that holds them.
  [[nodiscard]] static CommitmentData raw(ByteSpan bytes);

  static void fields(const CommitmentData& data, ScaleWriter& codec);
  static void fields(CommitmentData& data, ScaleReader& codec);
};

}  // namespace muster::chain
