// LedgerHead: the ledger's word on its newest durable block.
//
// A block's hash covers its parent's and the state after it, so one signature covers all history.
// Two heads of one number and different blocks prove that the ledger keeps two histories. Thread
// safety: values and pure functions.
#pragma once

#include <string>

#include "base/hash.h"
#include "base/sign.h"

namespace muster::protocol {

struct LedgerHead {
  Hash genesis;
  std::uint64_t number = 0;
  Hash block;
  Signature signature;  // of the ledger's key, under all of that
  bool operator==(const LedgerHead&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(genesis, number, block, signature);
  }
};

[[nodiscard]] LedgerHead sign_head(const SigningKey& ledger, const Hash& genesis,
                                   std::uint64_t number, const Hash& block);
[[nodiscard]] bool is_signed_by(const LedgerHead& head, const PublicKey& ledger);
// "block 7 1f0a5b2c, signed 08…": all that somebody else needs to check it.
[[nodiscard]] std::string describe(const LedgerHead& head);

}  // namespace muster::protocol
