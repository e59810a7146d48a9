#include "chain/economy/dividends.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "chain/economy/childkeys.h"
#include "chain/economy/injection.h"

namespace muster::chain {
namespace {

constexpr std::uint64_t kAll = UINT64_MAX;
constexpr std::uint64_t kSupply = 21'000'000'000'000'000;

U96F32 whole(std::uint64_t value) { return fixed_from<U96F32>(value); }
std::uint64_t rao(U96F32 amount) { return integer_from<std::uint64_t>(amount); }

TEST(Dividends, WithoutStakeAreAlphaOnly) {
  const std::vector<Validator> validators{{whole(100), 0, 0}};
  const auto pay = distribute_dividends(validators, 1000, 500, U96F32::one());
  EXPECT_EQ(rao(pay[0].alpha), 1000u);
  EXPECT_EQ(rao(pay[0].root_alpha), 0u);
}

TEST(Dividends, OfNobodyPayNothing) {
  EXPECT_TRUE(distribute_dividends({}, 1000, 1000, U96F32::one()).empty());
}

TEST(Dividends, AreSplitByTheWeightOfRootStake) {
  const std::vector<Validator> validators{{whole(100), 300, 100}, {whole(100), 0, 100}};
  const auto pay = distribute_dividends(validators, 1000, 1000, U96F32::one());
  // Parts: alpha 75 and 0, root 25 and 100.
  EXPECT_EQ(rao(pay[0].alpha), 1000u);
  EXPECT_EQ(rao(pay[0].root_alpha), 199u);
  EXPECT_EQ(rao(pay[1].root_alpha), 799u);
}

TEST(Take, IsThePartOf65535) {
  EXPECT_EQ(split_take(whole(1000), 0).take, 0u);
  EXPECT_EQ(split_take(whole(1000), 65535).rest, 0u);
  const TakeSplit split = split_take(whole(1'000'000'000), 11796);
  EXPECT_EQ(split.take, 179'995'422u);
  EXPECT_EQ(split.rest, 820'004'577u);
}

TEST(Withheld, IsZeroWithoutIncentives) {
  EXPECT_EQ(withheld_proportion(0, 0), U96F32::zero());
  EXPECT_EQ(withheld_proportion(5, 5), U96F32::one());
}

TEST(InheritedStake, CannotLendMoreThanThereIs) {
  const std::vector<std::uint64_t> children{kAll, kAll};
  EXPECT_EQ(inherited_stake(1000, children, {}), 0u);
  const std::vector<ParentStake> parents{{kAll, 700}};
  EXPECT_EQ(inherited_stake(1000, children, parents), 700u);
}

TEST(SelfContribution, IsWhatIsNotLent) {
  EXPECT_EQ(self_contribution(1000, 1000, {}, U96F32::one()), 2000u);
  EXPECT_EQ(self_contribution(1000, 1000, std::vector<std::uint64_t>{kAll}, U96F32::one()), 0u);
}

TEST(Childkeys, ParentsOfTheSameOwnerPayNoTake) {
  const std::vector<Parent> parents{{kAll, 1000, 0, true}};
  const ChildDividends split =
      split_among_parents(500, 0, parents, 11796, U96F32::zero(), U96F32::one());
  EXPECT_EQ(split.parents, (std::vector<std::uint64_t>{500}));
  EXPECT_EQ(split.child, 0u);
  EXPECT_EQ(split.burned, (std::vector<std::uint64_t>{0}));
}

TEST(Childkeys, WithoutContributionsTheChildKeepsAll) {
  const std::vector<Parent> parents{{kAll, 0, 0, false}};
  const ChildDividends split =
      split_among_parents(500, 0, parents, 65535, U96F32::one(), U96F32::zero());
  EXPECT_EQ(split.child, 500u);
}

TEST(Childkeys, BurnAndTakeNeverExceedThePart) {
  const std::vector<Parent> parents{{kAll, 1000, 0, false}};
  const ChildDividends split =
      split_among_parents(500, 0, parents, 65535, U96F32::zero(), U96F32::one());
  EXPECT_EQ(split.parents, (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(split.burned, (std::vector<std::uint64_t>{500}));
}

RC_GTEST_PROP(Dividends, NeverExceedThePools, (std::uint32_t alpha, std::uint32_t root)) {
  const auto validators = *rc::gen::container<std::vector<Validator>>(rc::gen::exec([] {
    return Validator{whole(*rc::gen::inRange<std::uint64_t>(0, 1'000'000'000'000)),
                     *rc::gen::inRange<std::uint64_t>(0, kSupply),
                     *rc::gen::inRange<std::uint64_t>(0, kSupply)};
  }));
  U96F32 alpha_paid;
  U96F32 root_paid;
  for (const ValidatorPay& pay :
       distribute_dividends(validators, alpha, root, fraction_of_u64(kAll / 5))) {
    alpha_paid = alpha_paid + pay.alpha;
    root_paid = root_paid + pay.root_alpha;
  }
  RC_ASSERT(alpha_paid <= whole(alpha));
  RC_ASSERT(root_paid <= whole(root));
}

RC_GTEST_PROP(Childkeys, DividendsAreConserved, (std::uint32_t dividends, std::uint16_t take)) {
  const auto parents = *rc::gen::container<std::vector<Parent>>(rc::gen::exec([] {
    return Parent{*rc::gen::arbitrary<std::uint64_t>(),
                  *rc::gen::inRange<std::uint64_t>(0, kSupply),
                  *rc::gen::inRange<std::uint64_t>(0, kSupply), *rc::gen::arbitrary<bool>()};
  }));
  const auto own = *rc::gen::inRange<std::uint64_t>(0, kSupply);
  const ChildDividends split =
      split_among_parents(dividends, own, parents, take, fraction_of_u64(kAll / 5), U96F32::zero());
  const std::uint64_t paid =
      std::accumulate(split.parents.begin(), split.parents.end(), split.child);
  RC_ASSERT(paid <= dividends);
  RC_ASSERT(paid + parents.size() + 1 >= dividends);
}

RC_GTEST_PROP(Childkeys, LentStakeIsInheritedOnce, ()) {
  const auto own = *rc::gen::inRange<std::uint64_t>(0, kSupply);
  const auto proportion = *rc::gen::arbitrary<std::uint64_t>();
  const std::uint64_t kept = inherited_stake(own, std::vector<std::uint64_t>{proportion}, {});
  const std::uint64_t lent = inherited_stake(0, {}, std::vector<ParentStake>{{proportion, own}});
  RC_ASSERT(kept + lent <= own);
  RC_ASSERT(kept + lent + 1 >= own);
}

}  // namespace
}  // namespace muster::chain
