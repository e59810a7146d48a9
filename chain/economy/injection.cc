#include "chain/economy/injection.h"

#include "chain/economy/block_emission.h"

namespace muster::chain {

U96F32 fraction_of_u64(std::uint64_t parts) {
  return safe_div(fixed_from<U96F32>(parts), fixed_from<U96F32>(UINT64_MAX));
}

U96F32 fraction_of_u16(std::uint16_t parts) {
  return safe_div(fixed_from<U96F32>(parts), fixed_from<U96F32>(65535));
}

U96F32 root_proportion(std::uint64_t root_tao, U96F32 tao_weight, std::uint64_t alpha_issuance) {
  const U96F32 weighted = fixed_from<U96F32>(root_tao) * tao_weight;
  return safe_div(weighted, weighted + fixed_from<U96F32>(alpha_issuance));
}

InjectionTerms injection_terms(U96F32 tao_emission, U64F64 price, std::uint64_t alpha_issuance,
                               U96F32 root_proportion) {
  const U96F32 short_price = fixed_from<U96F32>(price);
  InjectionTerms terms;
  terms.tao_in = tao_emission;
  terms.alpha_in = safe_div(tao_emission, short_price);
  terms.alpha_out = fixed_from<U96F32>(block_emission(alpha_issuance));
  terms.alpha_in_cap = root_proportion * terms.alpha_out;
  if (terms.alpha_in > terms.alpha_in_cap) {
    terms.alpha_in = terms.alpha_in_cap;
    terms.tao_in = terms.alpha_in * short_price;
  }
  terms.excess_tao = tao_emission - terms.tao_in;
  return terms;
}

AlphaOutSplit split_alpha_out(U96F32 alpha_out, U96F32 owner_cut, U96F32 root_proportion) {
  constexpr U96F32 kHalf = U96F32::from_bits(U96F32::one().bits / 2);
  const auto in_rao = [](U96F32 amount) { return integer_from<std::uint64_t>(amount); };
  const U96F32 owner = alpha_out * owner_cut;
  const U96F32 rest = alpha_out - owner;
  const U96F32 root = root_proportion * rest * kHalf;
  const U96F32 server = rest * kHalf;
  const U96F32 validator = rest - server - root;
  return {in_rao(owner), in_rao(server), in_rao(validator), in_rao(root)};
}

}  // namespace muster::chain
