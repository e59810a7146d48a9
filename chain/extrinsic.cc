#include "chain/extrinsic.h"

#include "chain/genesis.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

Hash signed_hash(Extrinsic extrinsic) {
  extrinsic.signature = {};
  return tagged_hash("muster/extrinsic", wire::encode(extrinsic));
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone: return "accepted";
    case Refusal::kWrongGenesis: return "made for another ledger";
    case Refusal::kBadSignature: return "bad signature";
    case Refusal::kWrongNonce: return "wrong nonce";
    case Refusal::kAlreadyRegistered: return "hotkey already registered";
    case Refusal::kRoleNotRegistrable: return "only miners and validators register";
    case Refusal::kSubnetFull: return "subnet full";
    case Refusal::kBalanceTooLow: return "balance too low";
    case Refusal::kNotRegistered: return "hotkey not registered";
    case Refusal::kAmountIsZero: return "amount is zero";
    case Refusal::kNotAValidator: return "not a validator";
    case Refusal::kStakeTooLow: return "stake too low to set weights";
    case Refusal::kCommitTooSoon: return "weights committed too soon after the last";
    case Refusal::kNoCommit: return "no commit to reveal";
    case Refusal::kRevealOutsideWindow: return "reveal outside the epoch after its commit";
    case Refusal::kLengthsDiffer: return "uids and weights differ in length";
    case Refusal::kUidsNotAscending: return "uids not strictly ascending";
    case Refusal::kUnknownUid: return "unknown uid";
    case Refusal::kCommitMismatch: return "weights are not the committed ones";
  }
  MUSTER_UNREACHABLE();
}

Extrinsic sign_extrinsic(const Hash& genesis, std::uint32_t nonce, Call call,
                         const SigningKey& key) {
  Extrinsic extrinsic{genesis, key.public_key(), nonce, std::move(call), {}};
  extrinsic.signature = key.sign(signed_hash(extrinsic).bytes);
  return extrinsic;
}

bool is_signed(const Extrinsic& extrinsic) {
  return verify_signature(extrinsic.hotkey, signed_hash(extrinsic).bytes, extrinsic.signature);
}

Status validate(const Genesis& genesis) {
  auto refuse = [](const char* field, const char* range) {
    return Error{Errc::kInvalidArgument, std::string("ledger.") + field + " must be " + range};
  };
  if (genesis.name.empty() || genesis.name.size() > 64) return refuse("name", "1 to 64 characters");
  if (genesis.block_ms < 10 || genesis.block_ms > 3'600'000)
    return refuse("block_ms", "from 10 to 3600000");
  if (genesis.tempo < 1 || genesis.tempo > 50'400) return refuse("tempo", "from 1 to 50400");
  if (genesis.uids_max < 1 || genesis.uids_max > 256) return refuse("uids_max", "from 1 to 256");
  return {};
}

Hash genesis_hash(const Genesis& genesis) {
  return tagged_hash("muster/genesis", wire::encode(genesis));
}

}  // namespace muster::chain
