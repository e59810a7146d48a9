#include "wire/peer_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace muster::wire {
namespace {

TEST(TokenBucket, GivesItsBurstAtOnceAndThenItsRate) {
  TokenBucket bucket({100, 10});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.take(1, 5'000), 5'000) << i;
  EXPECT_EQ(bucket.take(1, 5'000), 5'010) << "one too many costs a hundredth of a second";
  EXPECT_EQ(bucket.take(1, 5'010), 5'020);
}

TEST(TokenBucket, KeepsNoMoreThanItsBurst) {
  TokenBucket bucket({100, 10});
  EXPECT_EQ(bucket.take(10, 1'000), 1'000);
  EXPECT_EQ(bucket.take(10, 1'000'000), 1'000'000);
  EXPECT_GT(bucket.take(1, 1'000'000), 1'000'000);
}

TEST(TokenBucket, ALargeAmountIsPaidOffAfterwards) {
  TokenBucket bucket({1'000, 1'000});
  EXPECT_EQ(bucket.take(11'000, 0), 10'000);
  EXPECT_FALSE(bucket.full(10'500));
  EXPECT_TRUE(bucket.full(11'000));
}

TEST(TokenBucket, ATimeThatGoesBackTakesAndGivesNothing) {
  TokenBucket bucket({100, 10});
  EXPECT_EQ(bucket.take(10, 1'000), 1'000);
  EXPECT_GT(bucket.take(1, 500), 500);
}

TEST(TokenBucket, WithoutARateItIsNoBound) {
  TokenBucket bucket({});
  EXPECT_EQ(bucket.take(1e12, 7), 7);
}

TEST(PeerBudgets, CountMessagesAndBytesOfEverySenderApart) {
  PeerBudgets<std::string> budgets({{10, 10}, {1'000, 1'000}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(budgets.charge("small", 1, 0), 0);
  EXPECT_EQ(budgets.charge("small", 1, 0), 100) << "too many messages";
  EXPECT_EQ(budgets.charge("large", 3'000, 0), 2'000) << "too many bytes";
  EXPECT_EQ(budgets.charge("other", 1'000, 0), 0) << "the others are not concerned";
}

TEST(PeerBudgets, ForgetWhoOwesNothingHoweverManyKeysCome) {
  PeerBudgets<int> budgets({{10, 10}, {}});
  for (int key = 0; key < 100'000; ++key) (void)budgets.charge(key, 1, key);
  EXPECT_LT(budgets.size(), 3'000u);
  PeerBudgets<int> debts({{10, 10}, {}});
  for (int i = 0; i < 30; ++i) (void)debts.charge(-1, 1, 0);
  for (int key = 0; key < 5'000; ++key) (void)debts.charge(key, 1, 200);
  EXPECT_GT(debts.charge(-1, 1, 200), 200) << "a debt is not forgotten with the sweep";
}

}  // namespace
}  // namespace muster::wire
