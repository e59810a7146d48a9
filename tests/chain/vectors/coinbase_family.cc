// Cases of coinbase/1: what a block injects, pays and accumulates.
#include "chain/economy/childkeys.h"
#include "chain/economy/dividends.h"
#include "chain/economy/injection.h"
#include "chain/economy/moving_price.h"
#include "tests/chain/vectors/demand.h"
#include "tests/chain/vectors/dispatch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

constexpr Int128 kRepeatsMax = 1'000'000;

std::uint64_t rao(U96F32 amount) { return integer_from<std::uint64_t>(amount); }

U96F32 tao_weight_of(const json& test) { return fraction_of_u64(u64(test, "tao_weight_u64")); }

Verdict shares(const json& test) {
  Verdict verdict;
  const auto subnets = demand_of(test);
  const auto got = emission_shares(subnets);
  verdict.equal("expected_share_u64f64", fixed_list<U64F64>(test, "expected_share_u64f64"), got);
  const auto block_emission = fixed_from<U96F32>(u64(test, "block_emission_rao"));
  std::vector<U96F32> emissions;
  std::vector<std::uint64_t> floors;
  for (const U64F64 share : enabled_shares(got, subnets)) {
    emissions.push_back(emission_for_share(block_emission, share));
    floors.push_back(rao(emissions.back()));
  }
  verdict.equal("expected_tao_emission_u96f32",
                fixed_list<U96F32>(test, "expected_tao_emission_u96f32"), emissions);
  verdict.equal("expected_tao_emission_rao_floor",
                integers<std::uint64_t>(test, "expected_tao_emission_rao_floor"), floors);
  return verdict;
}

Verdict terms(const json& test) {
  Verdict verdict;
  const auto issuance = u64(test, "alpha_issuance");
  const InjectionTerms got = injection_terms(
      fixed_from<U96F32>(u64(test, "tao_emission_rao")), fixed<U64F64>(test, "price_u64f64"),
      issuance, root_proportion(u64(test, "root_tao"), tao_weight_of(test), issuance));
  const json& expected = member(test, "expected_floor");
  verdict.equal("tao_in", u64(expected, "tao_in"), rao(got.tao_in));
  verdict.equal("alpha_in", u64(expected, "alpha_in"), rao(got.alpha_in));
  verdict.equal("alpha_out", u64(expected, "alpha_out"), rao(got.alpha_out));
  verdict.equal("alpha_emission", u64(expected, "alpha_emission"), rao(got.alpha_out));
  verdict.equal("excess_tao", u64(expected, "excess_tao"), rao(got.excess_tao));
  verdict.equal("alpha_injection_cap", u64(expected, "alpha_injection_cap"), rao(got.alpha_in_cap));
  return verdict;
}

void equal_split(Verdict& verdict, const json& expected, const AlphaOutSplit& got) {
  verdict.equal("owner_cut", u64(expected, "owner_cut"), got.owner_cut);
  verdict.equal("server", u64(expected, "server"), got.server);
  verdict.equal("validator", u64(expected, "validator"), got.validator);
  verdict.equal("root_alpha", u64(expected, "root_alpha"), got.root_alpha);
}

Verdict alpha_out(const json& test) {
  Verdict verdict;
  const U96F32 proportion =
      root_proportion(u64(test, "root_tao"), tao_weight_of(test), u64(test, "alpha_issuance"));
  const U96F32 cut = flag(test, "owner_cut_enabled") ? fraction_of_u16(u16(test, "owner_cut_u16"))
                                                     : U96F32::zero();
  const json& expected = member(test, "expected");
  equal_split(verdict, expected,
              split_alpha_out(fixed_from<U96F32>(u64(test, "alpha_out")), cut, proportion));
  if (expected.contains("root_proportion_u96f32"))
    verdict.equal("root_proportion_u96f32", fixed<U96F32>(expected, "root_proportion_u96f32"),
                  proportion);
  return verdict;
}

Verdict headline(const json& test) {
  Verdict verdict;
  const AlphaOutSplit got = split_alpha_out(fixed_from<U96F32>(u64(test, "alpha_out")),
                                            fraction_of_u16(11796), U96F32::zero());
  const json& expected = member(test, "expected");
  verdict.equal("owner", u64(expected, "owner"), got.owner_cut);
  verdict.equal("server", u64(expected, "server"), got.server);
  verdict.equal("validator", u64(expected, "validator"), got.validator);
  return verdict;
}

Verdict proportion(const json& test) {
  Verdict verdict;
  verdict.equal(
      "expected_u96f32", fixed<U96F32>(test, "expected_u96f32"),
      root_proportion(u64(test, "root_tao"), tao_weight_of(test), u64(test, "alpha_issuance")));
  return verdict;
}

Verdict sell_flag(const json& test) {
  Verdict verdict;
  std::vector<U64F64> prices;
  for (const double price : numbers(test, "moving_prices"))
    prices.push_back(moving_price_of(price));
  verdict.equal("expected", flag(test, "expected"), root_alpha_is_paid(prices));
  return verdict;
}

Verdict moving(const json& test) {
  Verdict verdict;
  I96F32 price = test.contains("initial_moving_i96f32")
                     ? fixed<I96F32>(test, "initial_moving_i96f32")
                     : fixed_from_number<I96F32>(number(test, "initial_moving"));
  const U64F64 spot = test.contains("spot_price_u64f64")
                          ? fixed<U64F64>(test, "spot_price_u64f64")
                          : fixed_from_number<U64F64>(number(test, "spot_price"));
  const I96F32 alpha = fixed<I96F32>(test, "moving_alpha_i96f32");
  const auto blocks = u64(test, "blocks_since_start");
  const auto halving = u64(test, "halving_blocks");
  const Int128 repeats = integer_within(member(test, "iterations"), "iterations", 0, kRepeatsMax);
  for (Int128 i = 0; i < repeats; ++i)
    price = next_moving_price(price, spot, alpha, blocks, halving);
  verdict.equal("expected_i96f32", fixed<I96F32>(test, "expected_i96f32"), price);
  return verdict;
}

std::vector<std::uint64_t> floors(const std::vector<U96F32>& amounts) {
  std::vector<std::uint64_t> whole;
  for (const U96F32 amount : amounts) whole.push_back(rao(amount));
  return whole;
}

Verdict distribution(const json& test) {
  Verdict verdict;
  const auto dividends = integers<std::uint64_t>(test, "dividends");
  const json& stakes = array_of(member(test, "stake"), "stake");
  if (stakes.size() != dividends.size())
    throw Malformed("fields 'stake' and 'dividends' differ in length");
  std::vector<Validator> validators;
  for (std::size_t i = 0; i < dividends.size(); ++i)
    validators.push_back(
        {fixed_from<U96F32>(dividends[i]), u64(stakes[i], "alpha"), u64(stakes[i], "root")});
  std::vector<U96F32> alpha;
  std::vector<U96F32> root;
  for (const ValidatorPay& pay : distribute_dividends(
           validators, u64(test, "pending_validator_alpha"), u64(test, "pending_root_alpha"),
           fixed<U96F32>(test, "tao_weight_u96f32"))) {
    alpha.push_back(pay.alpha);
    root.push_back(pay.root_alpha);
  }
  verdict.equal("expected_alpha_u96f32", fixed_list<U96F32>(test, "expected_alpha_u96f32"), alpha);
  verdict.equal("expected_root_alpha_u96f32",
                fixed_list<U96F32>(test, "expected_root_alpha_u96f32"), root);
  verdict.equal("expected_alpha_floor", integers<std::uint64_t>(test, "expected_alpha_floor"),
                floors(alpha));
  verdict.equal("expected_root_alpha_floor",
                integers<std::uint64_t>(test, "expected_root_alpha_floor"), floors(root));
  return verdict;
}

Verdict take(const json& test) {
  Verdict verdict;
  const TakeSplit got =
      split_take(fixed_from<U96F32>(u64(test, "dividend")), u16(test, "take_u16"));
  verdict.equal("expected_take", u64(test, "expected_take"), got.take);
  verdict.equal("expected_nominators", u64(test, "expected_nominators"), got.rest);
  return verdict;
}

// A subnet whose price is one and which gets the whole emission: terms by the issuance before, the
// split by that after.
Verdict pending(const json& test) {
  Verdict verdict;
  auto issuance = u64(test, "initial_alpha_issuance");
  const auto root_tao = u64(test, "root_tao");
  const U96F32 weight = tao_weight_of(test);
  const U96F32 cut = fraction_of_u16(u16(test, "owner_cut_u16"));
  const auto emission = fixed_from<U96F32>(u64(test, "block_emission_rao"));
  AlphaOutSplit sum;
  std::uint64_t injected = 0;
  const Int128 blocks = integer_within(member(test, "blocks"), "blocks", 0, kRepeatsMax);
  for (Int128 block = 0; block < blocks; ++block) {
    const InjectionTerms block_terms = injection_terms(emission, U64F64::one(), issuance,
                                                       root_proportion(root_tao, weight, issuance));
    injected += rao(block_terms.tao_in);
    issuance += rao(block_terms.alpha_in) + rao(block_terms.alpha_out);
    const AlphaOutSplit split =
        split_alpha_out(block_terms.alpha_out, cut, root_proportion(root_tao, weight, issuance));
    sum.owner_cut += split.owner_cut;
    sum.server += split.server;
    sum.validator += split.validator;
    sum.root_alpha += split.root_alpha;
  }
  equal_split(verdict, member(test, "expected_pending"), sum);
  verdict.equal("expected_alpha_issuance", u64(test, "expected_alpha_issuance"), issuance);
  verdict.equal("expected_tao_injected", u64(test, "expected_tao_injected"), injected);
  return verdict;
}

Verdict inherited(const json& test) {
  Verdict verdict;
  std::vector<ParentStake> parents;
  for (const json& parent : array_of(member(test, "parents"), "parents"))
    parents.push_back({u64(parent, "proportion_u64"), u64(parent, "alpha")});
  verdict.equal("expected", u64(test, "expected"),
                inherited_stake(u64(test, "own_alpha"),
                                integers<std::uint64_t>(test, "child_proportions_u64"), parents));
  return verdict;
}

Verdict childkey(const json& test) {
  Verdict verdict;
  std::vector<Parent> parents;
  for (const json& parent : array_of(member(test, "parents"), "parents"))
    parents.push_back({u64(parent, "proportion_u64"), u64(parent, "alpha"), u64(parent, "root"),
                       flag(parent, "same_owner")});
  const auto burn =
      test.contains("ck_burn_u64") ? fraction_of_u64(u64(test, "ck_burn_u64")) : U96F32::zero();
  const ChildDividends got =
      split_among_parents(u64(test, "dividend"), u64(test, "self_contribution"), parents,
                          u16(test, "childkey_take_u16"), tao_weight_of(test), burn);
  verdict.equal("expected_parents", integers<std::uint64_t>(test, "expected_parents"), got.parents);
  verdict.equal("expected_child", u64(test, "expected_child"), got.child);
  return verdict;
}

}  // namespace

Verdict check_coinbase_case(const json& test) {
  static const Checks kChecks{{"subnet_emission_shares", shares},
                              {"subnet_terms", terms},
                              {"alpha_out_split_per_block", alpha_out},
                              {"headline_split", headline},
                              {"root_proportion", proportion},
                              {"root_sell_flag", sell_flag},
                              {"moving_price", moving},
                              {"dividend_distribution", distribution},
                              {"delegate_take", take},
                              {"pending_over_blocks", pending},
                              {"inherited_alpha", inherited},
                              {"childkey_dividends", childkey}};
  return dispatch(kChecks, test, "fn");
}

}  // namespace muster::chain::vectors
