// Extrinsics: the signed calls that change a ledger. Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"

namespace muster::chain {

enum class CallKind : std::uint8_t { kRegister, kAddStake, kCommitWeights, kRevealWeights };
constexpr std::uint8_t enum_count(CallKind) { return 4; }

// One struct for all kinds; fields that a kind does not use are zero and empty.
struct Call {
  CallKind kind = CallKind::kRegister;
  Role role = Role::kMiner;             // kRegister
  std::uint64_t amount = 0;             // kAddStake, rao
  Hash hash;                            // kCommitWeights: commitment; kRevealWeights: salt
  std::vector<Uid> uids;                // kRevealWeights
  std::vector<std::uint16_t> weights;   // kRevealWeights
  template <class Archive>
  void serialize(Archive& archive) { archive(kind, role, amount, hash, uids, weights); }
};

struct Extrinsic {
  Hash genesis;
  PublicKey hotkey;
  std::uint32_t nonce = 0;
  Call call;
  Signature signature;
  template <class Archive>
  void serialize(Archive& archive) { archive(genesis, hotkey, nonce, call, signature); }
};

// Why a ledger refuses an extrinsic: exactly one reason, the first that applies in this order.
enum class Refusal : std::uint8_t {
  kNone,
  kWrongGenesis,
  kBadSignature,
  kWrongNonce,
  kAlreadyRegistered,
  kRoleNotRegistrable,
  kSubnetFull,
  kBalanceTooLow,
  kNotRegistered,
  kAmountIsZero,
  kNotAValidator,
  kStakeTooLow,
  kCommitTooSoon,
  kNoCommit,
  kRevealOutsideWindow,
  kLengthsDiffer,
  kUidsNotAscending,
  kUnknownUid,
  kCommitMismatch,
};
[[nodiscard]] std::string_view name_of(Refusal refusal);

[[nodiscard]] Extrinsic sign_extrinsic(const Hash& genesis, std::uint32_t nonce, Call call,
                                       const SigningKey& key);
[[nodiscard]] bool is_signed(const Extrinsic& extrinsic);

}  // namespace muster::chain
