// What a block puts into a subnet's pool and pays to its participants.
//
// Source: subtensor: coinbase/run_coinbase.rs (get_subnet_terms, emit_to_subnets),
// coinbase/block_step.rs (root_proportion), staking/stake_utils.rs (get_tao_weight). Thread safety:
// plain values, pure functions.
#pragma once

#include <cstdint>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// A stored weight, parts of 2^64 - 1, such as the TAO weight.
[[nodiscard]] U96F32 fraction_of_u64(std::uint64_t parts);
// Parts of 65535, such as takes and the owner's cut.
[[nodiscard]] U96F32 fraction_of_u16(std::uint16_t parts);

// root * weight / (root * weight + alpha issuance): how much of a subnet root stake is worth.
[[nodiscard]] U96F32 root_proportion(std::uint64_t root_tao, U96F32 tao_weight,
                                     std::uint64_t alpha_issuance);

struct InjectionTerms {
  U96F32 tao_in;      // into the pool
  U96F32 alpha_in;    // likewise, at the pool's price
  U96F32 alpha_out;   // to the participants
  U96F32 excess_tao;  // buys alpha from the pool
  U96F32 alpha_in_cap;
};

// The terms of one subnet from what it had before the block.
[[nodiscard]] InjectionTerms injection_terms(U96F32 tao_emission, U64F64 price,
                                             std::uint64_t alpha_issuance, U96F32 root_proportion);

// In rao; each is rounded down on its own, so that up to three are not paid.
struct AlphaOutSplit {
  std::uint64_t owner_cut = 0;
  std::uint64_t server = 0;
  std::uint64_t validator = 0;   // without what root stake gets
  std::uint64_t root_alpha = 0;  // paid or recycled
};

// `owner_cut` is zero where the subnet has it disabled. `root_proportion` is of the issuance after
// this block's alpha.
[[nodiscard]] AlphaOutSplit split_alpha_out(U96F32 alpha_out, U96F32 owner_cut,
                                            U96F32 root_proportion);

}  // namespace muster::chain
