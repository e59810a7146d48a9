#include "chain/service/block_budget.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "chain/codec/signed_extrinsic.h"
#include "chain/runtime/call_cost.h"
#include "chain/runtime/genesis.h"

namespace muster::chain {
namespace {

PublicKey key(std::uint8_t number) { return PublicKey{{number}}; }

BlockBudget::Cost paid(std::size_t bytes, std::uint64_t time_ns = 1'000) {
  return {bytes, time_ns, false};
}
BlockBudget::Cost free_call() { return {200, 1'000, true}; }

// Charges what `check` lets in; how many of `count` equal calls got in.
int fill(BlockBudget& budget, const PublicKey& signer, const BlockBudget::Cost& cost, int count) {
  int taken = 0;
  for (int i = 0; i < count; ++i) {
    if (budget.check(signer, cost) != Overrun::kNone) continue;
    budget.charge_signer(signer, cost, true);
    ++taken;
  }
  return taken;
}

TEST(BlockBudget, ABlockFitsIntoAMessageWhateverIsInIt) {
  for (const std::size_t bytes : {110u, 5'000u, 65'536u}) {
    BlockBudget budget(block_limits(12'000));
    std::size_t total = 0;
    for (std::uint8_t signer = 1; signer < 100; ++signer) {
      total +=
          static_cast<std::size_t>(fill(budget, key(signer), paid(bytes), 1'000)) * (bytes + 4);
      total += static_cast<std::size_t>(fill(budget, key(signer), {bytes, 1'000, true}, 1'000)) *
               (bytes + 4);
    }
    EXPECT_GT(total, limits::kMessageBytesMax / 4) << "and is not empty";
    EXPECT_LT(total, limits::kMessageBytesMax / 2 + 1);
  }
}

TEST(BlockBudget, OneSignerTakesItsPartAndNobodyElses) {
  BlockBudget budget(block_limits(12'000));
  EXPECT_EQ(fill(budget, key(1), paid(60'000), 10), 2);
  EXPECT_EQ(budget.check(key(1), paid(60'000)), Overrun::kSignerBytes);
  EXPECT_EQ(budget.check(key(2), paid(60'000)), Overrun::kNone);
  budget.begin_block();
  EXPECT_EQ(budget.check(key(1), paid(60'000)), Overrun::kNone);
}

TEST(BlockBudget, WhoeverPaysCannotKeepWeightsOut) {
  BlockBudget budget(block_limits(12'000));
  for (std::uint8_t signer = 1; signer < 100; ++signer)
    (void)fill(budget, key(signer), paid(60'000), 3);
  EXPECT_EQ(budget.check(key(200), paid(60'000)), Overrun::kBlockBytes);
  EXPECT_EQ(budget.check(key(200), free_call()), Overrun::kNone);
}

TEST(BlockBudget, FreeCallsAreCountedWhetherTheyGetInOrNot) {
  BlockBudget budget(block_limits(12'000));
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(budget.check(key(1), free_call()), Overrun::kNone);
    budget.charge_signer(key(1), free_call(), i % 2 == 0);
  }
  EXPECT_EQ(budget.check(key(1), free_call()), Overrun::kSignerFreeCalls);
  EXPECT_EQ(budget.check(key(1), paid(200)), Overrun::kNone);
  EXPECT_EQ(budget.check(key(2), free_call()), Overrun::kNone);
}

TEST(BlockBudget, ACallOfMoreThanABlocksTimeGetsInFirstOnly) {
  BlockBudget budget(block_limits(12'000));
  const auto endless = paid(200, 1'000'000'000'000);
  EXPECT_EQ(budget.check(key(1), endless), Overrun::kNone);
  budget.charge_signer(key(1), endless, true);
  EXPECT_EQ(budget.check(key(2), paid(200)), Overrun::kBlockTime);
  EXPECT_EQ(budget.check(key(2), free_call()), Overrun::kBlockTime);
}

TEST(BlockBudget, NewKeysShareOneAskersBudget) {
  BlockBudget budget(block_limits(12'000));
  const BlockLimits limits = block_limits(12'000);
  std::uint64_t taken = 0;
  for (std::uint8_t number = 0; number < 250; ++number)
    for (int i = 0; i < 10; ++i)
      if (budget.charge_asker(AskerKind::kStranger, key(number), 1'000'000) == Overrun::kNone)
        taken += 1'000'000;
  EXPECT_EQ(taken, limits.asker_time_ns);
  EXPECT_EQ(budget.charge_asker(AskerKind::kNeuron, key(7), 1'000'000), Overrun::kNone);
  taken = 0;
  for (std::uint8_t number = 0; number < 250; ++number)
    for (int i = 0; i < 100; ++i)
      if (budget.charge_asker(AskerKind::kAccount, key(number), 1'000'000) == Overrun::kNone)
        taken += 1'000'000;
  EXPECT_LE(taken, limits.accounts_time_ns);
  EXPECT_EQ(budget.charge_asker(AskerKind::kNeuron, key(8), 1'000'000), Overrun::kNone);
}

TEST(CallCost, GrowsWithWhatACallCarries) {
  const runtime::State state = runtime::make_state(runtime::Genesis{});
  const auto cost = [&](RuntimeCall call) { return runtime::call_cost_ns(state, call); };
  SetChildren five, many;
  five.children.resize(5);
  many.children.resize(1'600);
  EXPECT_GT(cost(many), 100 * cost(five));
  SetWeights few{1, {0}, {1}, 0},
      all{1, std::vector<std::uint16_t>(4'096), std::vector<std::uint16_t>(4'096), 0};
  EXPECT_GT(cost(all), 10 * cost(few));
  for (std::size_t number = 0; number < kCallCount; ++number)
    EXPECT_GE(cost(default_call(number)), 10'000u);
}

}  // namespace
}  // namespace muster::chain
