// Genesis: what a ledger starts from. Its hash names the ledger. Thread safety: a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"

namespace muster::chain {

struct Balance {
  PublicKey hotkey;
  std::uint64_t rao = 0;
  template <class Archive>
  void serialize(Archive& archive) { archive(hotkey, rao); }
};

struct Genesis {
  std::string name = "muster-local";
  std::uint16_t netuid = 1;
  std::uint32_t block_ms = 12'000;
  std::uint32_t tempo = 360;                       // blocks per epoch
  std::uint32_t uids_max = 256;
  std::uint64_t registration_cost = 1'000'000'000; // rao, burned
  std::uint64_t validator_stake_min = 1'000'000'000;
  std::uint64_t emission_per_block = 1'000'000'000;  // rao of alpha, half to miners, half to validators
  std::uint32_t weights_rate_limit = 1;            // blocks between two commits of one hotkey
  std::vector<Balance> balances;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, netuid, block_ms, tempo, uids_max, registration_cost, validator_stake_min,
            emission_per_block, weights_rate_limit, balances);
  }
};

// Errors: kInvalidArgument, naming the field.
[[nodiscard]] Status validate(const Genesis& genesis);
[[nodiscard]] Hash genesis_hash(const Genesis& genesis);

}  // namespace muster::chain
