// Cases of emission/1 and emission-gate/1: what a block mints, and the gate on subnets' shares of
// it.
#include <algorithm>

#include "chain/economy/block_emission.h"
#include "chain/economy/emission_gate.h"
#include "tests/chain/vectors/demand.h"
#include "tests/chain/vectors/dispatch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

Verdict emission_at(const json& test) {
  Verdict verdict;
  verdict.equal("expected_rao", u64(test, "expected_rao"),
                block_emission(u64(test, "issuance_rao")));
  return verdict;
}

Verdict halving(const json& test) {
  Verdict verdict;
  const auto issuance = u64(test, "issuance_rao");
  const Int128 number = integer_within(member(test, "halving"), "halving", 0, 63);
  verdict.equal("issuance_rao", issuance, issuance_at_halving(static_cast<int>(number)));
  verdict.equal("emission_at", u64(test, "emission_at"), block_emission(issuance));
  if (issuance > 0)
    verdict.equal("emission_before", u64(test, "emission_before"), block_emission(issuance - 1));
  return verdict;
}

// Mints block after block from an issuance of zero, whole stretches of equal emission at once.
std::uint64_t issuance_after(std::uint64_t blocks) {
  std::uint64_t issuance = 0;
  while (blocks > 0) {
    const std::uint64_t emission = block_emission(issuance);
    if (emission == 0) break;
    std::uint64_t stretch = 1;
    for (std::uint64_t step = std::uint64_t{1} << 32; step > 0; step >>= 1)
      if (stretch + step <= blocks &&
          block_emission(std::min(issuance + (stretch + step - 1) * emission, kIssuanceMax)) ==
              emission)
        stretch += step;
    issuance += stretch * emission;
    blocks -= stretch;
  }
  return issuance;
}

Verdict minted(const json& test) {
  Verdict verdict;
  const std::uint64_t issuance = issuance_after(u64(test, "blocks"));
  verdict.equal("issuance_rao", u64(test, "issuance_rao"), issuance);
  verdict.equal("emission_next_block", u64(test, "emission_next_block"), block_emission(issuance));
  return verdict;
}

Verdict per_day(const json& test) {
  Verdict verdict;
  verdict.equal("expected_rao_per_day", integer<Uint128>(test, "expected_rao_per_day"),
                Uint128{u64(test, "block_emission_rao")} * kBlocksPerDay);
  return verdict;
}

Verdict gated(const json& test) {
  Verdict verdict;
  const auto subnets = demand_of(test);
  const auto shares = emission_shares(subnets);
  GateParameters parameters;
  parameters.rank = u16(test, "bar_rank");
  parameters.quantile = fixed<U64F64>(test, "bar_quantile_u64f64");
  parameters.exponent = fixed<U64F64>(test, "gate_exponent_u64f64");
  const U64F64 bar =
      gate_bar(shares, parameters, fixed<U64F64>(test, "stored_bar_u64f64"), u64(test, "block"));
  verdict.equal("expected_pre_gate_share_u64f64",
                fixed_list<U64F64>(test, "expected_pre_gate_share_u64f64"), shares);
  verdict.equal("expected_bar_u64f64", fixed<U64F64>(test, "expected_bar_u64f64"), bar);
  verdict.equal("expected_share_u64f64", fixed_list<U64F64>(test, "expected_share_u64f64"),
                enabled_shares(gated_shares(shares, bar, parameters.exponent), subnets));
  return verdict;
}

// The first entry stands for all where the list ends in a remark.
std::vector<U64F64> share_list(const json& test) {
  const json& entries = array_of(member(test, "shares_u64f64"), "shares_u64f64");
  const Int128 count = integer_within(member(test, "n"), "n", 0, 65536);
  std::vector<U64F64> shares;
  for (const json& entry : entries) {
    if (entry.is_string() && entry.get_ref<const std::string&>().starts_with("...")) {
      if (shares.empty()) throw Malformed("field 'shares_u64f64' starts with a remark");
      shares.resize(static_cast<std::size_t>(count), shares.front());
      return shares;
    }
    shares.push_back(U64F64::from_bits(integer_of<Uint128>(entry, "shares_u64f64")));
  }
  return shares;
}

Verdict applied(const json& test) {
  Verdict verdict;
  const auto shares = share_list(test);
  const auto got = gated_shares(shares, fixed<U64F64>(test, "bar_u64f64"),
                                fixed<U64F64>(test, "exponent_u64f64"));
  const json& expected = member(test, "expected");
  if (expected.is_string() && expected.get_ref<const std::string&>().starts_with("unchanged")) {
    verdict.equal("expected", shares, got);
  } else {
    verdict.equal("expected", fixed_list<U64F64>(test, "expected"), got);
  }
  return verdict;
}

}  // namespace

Verdict check_emission_case(const json& test) {
  static const Checks kChecks{{"block_emission", emission_at},
                              {"first_issuance_after_halving", halving},
                              {"issuance_after_blocks", minted},
                              {"tao_per_day", per_day}};
  return dispatch(kChecks, test, "fn");
}

Verdict check_emission_gate_case(const json& test) {
  static const Checks kChecks{{"gated_shares", gated}, {"apply_gate", applied}};
  return dispatch(kChecks, test, "fn");
}

}  // namespace muster::chain::vectors
