#include "chain/economy/childkeys.h"

#include "chain/economy/injection.h"

namespace muster::chain {
namespace {

U96F32 contribution_of(const Parent& parent, U96F32 tao_weight) {
  const U96F32 proportion = fraction_of_u64(parent.proportion);
  return fixed_from<U96F32>(parent.alpha_stake) * proportion +
         fixed_from<U96F32>(parent.root_stake) * proportion * tao_weight;
}

}  // namespace

std::uint64_t inherited_stake(std::uint64_t own, std::span<const std::uint64_t> child_proportions,
                              std::span<const ParentStake> parents) {
  const auto initial = fixed_from<U96F32>(own);
  U96F32 lent;
  for (const std::uint64_t proportion : child_proportions)
    lent = lent + initial * fraction_of_u64(proportion);
  U96F32 borrowed;
  for (const ParentStake& parent : parents)
    borrowed = borrowed + fixed_from<U96F32>(parent.stake) * fraction_of_u64(parent.proportion);
  return integer_from<std::uint64_t>(initial - lent + borrowed);
}

std::uint64_t self_contribution(std::uint64_t alpha_stake, std::uint64_t root_stake,
                                std::span<const std::uint64_t> child_proportions,
                                U96F32 tao_weight) {
  U96F32 kept = U96F32::one();
  for (const std::uint64_t proportion : child_proportions)
    kept = kept - fraction_of_u64(proportion);
  return integer_from<std::uint64_t>(fixed_from<U96F32>(alpha_stake) * kept +
                                     fixed_from<U96F32>(root_stake) * kept * tao_weight);
}

ChildDividends split_among_parents(std::uint64_t dividends, std::uint64_t own_contribution,
                                   std::span<const Parent> parents, std::uint16_t take_u16,
                                   U96F32 tao_weight, U96F32 burn) {
  std::vector<U96F32> contributions;
  auto total = fixed_from<U96F32>(own_contribution);
  for (const Parent& parent : parents) {
    contributions.push_back(contribution_of(parent, tao_weight));
    total = total + contributions.back();
  }

  ChildDividends result;
  const auto whole = fixed_from<U96F32>(dividends);
  const U96F32 take = fraction_of_u16(take_u16);
  U96F32 remaining = whole;
  U96F32 takes;
  for (std::size_t i = 0; i < parents.size(); ++i) {
    U96F32 part = whole * safe_div(contributions[i], total);
    remaining = remaining - part;
    U96F32 burned;
    if (!parents[i].same_owner) {
      burned = burn * part;
      const U96F32 taken = take * part;
      part = part - burned - taken;
      takes = takes + taken;
    }
    result.burned.push_back(integer_from<std::uint64_t>(burned));
    result.parents.push_back(integer_from<std::uint64_t>(part));
  }
  result.child = integer_from<std::uint64_t>(remaining + takes);
  return result;
}

}  // namespace muster::chain
