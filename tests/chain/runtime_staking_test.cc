#include <gtest/gtest.h>

#include <cmath>

#include "chain/runtime/staking.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

std::uint64_t staked(Economy& economy, std::uint16_t hotkey, std::uint16_t coldkey,
                     Netuid netuid = kSubnet) {
  return stake_of(economy.state(), key(hotkey), key(coldkey), netuid);
}
std::uint64_t balance(Economy& economy, std::uint16_t number) {
  return balance_of(economy.state(), key(number));
}

// A second started subnet, whose alpha is four times as dear.
Genesis two_subnets() {
  Genesis genesis = small_genesis();
  GenesisSubnet other;
  other.netuid = 2;
  other.owner_coldkey = key(105);
  other.owner_hotkey = key(205);
  other.alpha_reserve = 250 * kTao;
  genesis.subnets.push_back(other);
  return genesis;
}

TEST(AddStake, BuysAtThePoolAndPaysItsFeeToTheAuthor) {
  Economy economy;
  const Pool pool = economy.subnet().economy.pool;
  const std::uint64_t author = balance(economy, 1);
  const std::uint64_t fee = swap_fee(10 * kTao, 33);
  EXPECT_EQ(fee, 10 * kTao * 33 / 65'535);
  const std::uint64_t alpha = amount_out(pool, Side::kBuy, 10 * kTao - fee);
  EXPECT_FALSE(economy.call(key(103), AddStake{key(201), kSubnet, 10 * kTao}));
  EXPECT_EQ(staked(economy, 201, 103), alpha);
  EXPECT_EQ(balance(economy, 103), 9'990 * kTao);
  EXPECT_EQ(balance(economy, 1), author + fee);
  EXPECT_EQ(economy.subnet().economy.pool.tao_reserve, pool.tao_reserve + 10 * kTao - fee);
  EXPECT_EQ(economy.subnet().economy.pool.alpha_reserve, pool.alpha_reserve - alpha);
}

TEST(AddStake, NamesWhatIsWrong) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), AddStake{key(201), 9, kTao}), DispatchError::kSubnetNotExists);
  EXPECT_EQ(economy.call(key(103), AddStake{key(201), kSubnet, 2'000'000}),
            DispatchError::kAmountTooLow);
  EXPECT_EQ(economy.call(key(103), AddStake{key(201), kSubnet, 10'001 * kTao}),
            DispatchError::kNotEnoughBalanceToStake);
  EXPECT_EQ(economy.call(key(103), AddStake{key(999), kSubnet, kTao}),
            DispatchError::kHotKeyAccountNotExists);
  economy.subnet().subtoken_enabled = false;
  EXPECT_EQ(economy.call(key(103), AddStake{key(201), kSubnet, kTao}),
            DispatchError::kSubtokenDisabled);
}

TEST(AddStake, MoreThanAThousandReservesIsTooMuchToLookAt) {
  Economy economy;
  const std::uint64_t most = economy.subnet().economy.pool.tao_reserve * 1'000;
  EXPECT_EQ(economy.call(key(103), AddStake{key(201), kSubnet, most + 1}),
            DispatchError::kInsufficientLiquidity);
}

TEST(AddStake, OnRootIsOneForOneAndFree) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), AddStake{key(201), kRootNetuid, 7 * kTao}));
  EXPECT_EQ(staked(economy, 201, 103, kRootNetuid), 7 * kTao);
  EXPECT_EQ(balance(economy, 103), 9'993 * kTao);
}

TEST(AddStakeLimit, StopsAtThePriceOrRefusesTheWhole) {
  Economy economy;
  const std::uint64_t limit = 1'010'000'000;  // one percent over a price of about 1
  const AddStakeLimit call{key(201), kSubnet, 100 * kTao, limit, false};
  EXPECT_EQ(economy.call(key(103), call), DispatchError::kSlippageTooHigh);
  AddStakeLimit partial = call;
  partial.allow_partial = true;
  EXPECT_FALSE(economy.call(key(103), partial));
  const std::uint64_t spent = 10'000 * kTao - balance(economy, 103);
  EXPECT_GT(spent, 4 * kTao);
  EXPECT_LT(spent, 6 * kTao);
  EXPECT_LE(price_of(economy.state(), kSubnet), price_from_limit(limit));
}

TEST(AddStakeLimit, APriceAlreadyBeyondTheLimitIsRefused) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), AddStakeLimit{key(201), kSubnet, kTao, kTao / 2, true}),
            DispatchError::kPriceLimitExceeded);
}

TEST(RemoveStake, GivesBackAllButTwoFees) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), AddStake{key(201), kSubnet, 10 * kTao}));
  EXPECT_FALSE(economy.call(key(103), RemoveStake{key(201), kSubnet, staked(economy, 201, 103)}));
  EXPECT_EQ(staked(economy, 201, 103), 0u);
  const std::uint64_t lost = 10'000 * kTao - balance(economy, 103);
  // The second fee is taken in alpha and worth a little less by then.
  EXPECT_GE(lost, swap_fee(10 * kTao, 33) * 198 / 100);
  EXPECT_LE(lost, swap_fee(10 * kTao, 33) * 2);
}

TEST(RemoveStake, MoreThanThereIsMeansAll) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(101), RemoveStake{key(201), kSubnet, ~0ull >> 1}));
  EXPECT_EQ(staked(economy, 201, 101), 0u);
}

TEST(RemoveStake, OfNothingIsTooLittle) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), RemoveStake{key(201), kSubnet, kTao}),
            DispatchError::kAmountTooLow);
}

TEST(RemoveStake, TooLittleIsAllowedOnlyWhenItIsAll) {
  Economy economy;
  EXPECT_EQ(economy.call(key(101), RemoveStake{key(201), kSubnet, 1'000}),
            DispatchError::kAmountTooLow);
  const std::uint64_t all = staked(economy, 201, 101);
  EXPECT_FALSE(economy.call(key(101), RemoveStake{key(201), kSubnet, all - 1'000'000}));
  EXPECT_FALSE(economy.call(key(101), RemoveStake{key(201), kSubnet, 1'000'000}));
}

TEST(RemoveStakeLimit, SellsNoLowerThanThePrice) {
  Economy economy;
  const RemoveStakeLimit call{key(201), kSubnet, 500 * kTao, 990'000'000, false};
  EXPECT_EQ(economy.call(key(101), call), DispatchError::kSlippageTooHigh);
  RemoveStakeLimit partial = call;
  partial.allow_partial = true;
  EXPECT_FALSE(economy.call(key(101), partial));
  // The author's fee, sold after it, moves the price by some millionths more.
  EXPECT_GE(price_of(economy.state(), kSubnet), price_from_limit(989'990'000));
}

TEST(UnstakeAll, LeavesNothingAnywhere) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(101), UnstakeAll{key(201)}));
  EXPECT_EQ(staked(economy, 201, 101), 0u);
  EXPECT_EQ(staked(economy, 201, 101, kRootNetuid), 0u);
  EXPECT_GT(balance(economy, 101), 15'000 * kTao);
}

TEST(UnstakeAllAlpha, TurnsAlphaIntoRootStake) {
  Economy economy;
  const std::uint64_t before = staked(economy, 201, 101, kRootNetuid);
  EXPECT_FALSE(economy.call(key(101), UnstakeAllAlpha{key(201)}));
  EXPECT_EQ(staked(economy, 201, 101), 0u);
  EXPECT_GT(staked(economy, 201, 101, kRootNetuid), before + 600 * kTao);
}

TEST(UnstakeAllAlpha, FailsAsAWholeWhenThereIsNone) {
  Economy economy;
  const Hash before = state_hash(economy.state());
  EXPECT_EQ(economy.call(key(103), UnstakeAllAlpha{key(201)}), DispatchError::kAmountTooLow);
  EXPECT_EQ(state_hash(economy.state()), before);
}

TEST(MoveStake, WithinASubnetKeepsEveryAlpha) {
  Economy economy;
  const std::uint64_t amount = 100 * kTao;
  EXPECT_FALSE(economy.call(key(101), MoveStake{key(201), key(202), kSubnet, kSubnet, amount}));
  EXPECT_EQ(staked(economy, 201, 101), 1'900 * kTao);
  EXPECT_NEAR(static_cast<double>(staked(economy, 202, 101)), static_cast<double>(amount), 2.0);
}

TEST(MoveStake, ToTheSamePlaceIsRefused) {
  Economy economy;
  EXPECT_EQ(economy.call(key(101), MoveStake{key(201), key(201), kSubnet, kSubnet, kTao}),
            DispatchError::kSameNetuid);
}

TEST(SwapStake, PaysOneFeeBetweenTwoSubnets) {
  Economy economy(two_subnets());
  const Pool from = economy.subnet(1).economy.pool;
  const Pool to = economy.subnet(2).economy.pool;
  const std::uint64_t alpha = 40 * kTao;
  const std::uint64_t rao = amount_out(from, Side::kSell, alpha - swap_fee(alpha, 33));
  EXPECT_FALSE(economy.call(key(101), SwapStake{key(201), 1, 2, alpha}));
  EXPECT_EQ(staked(economy, 201, 101, 2), amount_out(to, Side::kBuy, rao));
}

TEST(SwapStakeLimit, RefusesAWorseRatio) {
  Economy economy(two_subnets());
  // One alpha of the first subnet is worth a quarter of the second's.
  EXPECT_EQ(economy.call(key(101), SwapStakeLimit{key(201), 1, 2, kTao, kTao / 2, false}),
            DispatchError::kSlippageTooHigh);
  EXPECT_FALSE(economy.call(key(101), SwapStakeLimit{key(201), 1, 2, kTao, kTao / 5, false}));
}

TEST(TransferStake, GivesStakeToAnotherColdkeyWhereThatIsAllowed) {
  Economy economy;
  const TransferStake call{key(104), key(201), kSubnet, kSubnet, 50 * kTao};
  economy.subnet().parameters.transfer_allowed = false;
  EXPECT_EQ(economy.call(key(101), call), DispatchError::kTransferDisallowed);
  economy.subnet().parameters.transfer_allowed = true;
  EXPECT_FALSE(economy.call(key(101), call));
  EXPECT_NEAR(static_cast<double>(staked(economy, 201, 104)), 50.0 * kTao, 2.0);
}

TEST(RecycleAlpha, TakesAlphaOutOfTheIssuance) {
  Economy economy;
  const std::uint64_t before = alpha_issuance_of(economy.subnet().economy);
  EXPECT_FALSE(economy.call(key(101), RecycleAlpha{key(201), 10 * kTao, kSubnet}));
  EXPECT_EQ(alpha_issuance_of(economy.subnet().economy), before - 10 * kTao);
  EXPECT_EQ(staked(economy, 201, 101), 1'990 * kTao);
}

TEST(BurnAlpha, LeavesTheIssuanceAsItIs) {
  Economy economy;
  const std::uint64_t before = alpha_issuance_of(economy.subnet().economy);
  EXPECT_FALSE(economy.call(key(101), BurnAlpha{key(201), 10 * kTao, kSubnet}));
  EXPECT_EQ(alpha_issuance_of(economy.subnet().economy), before);
  EXPECT_EQ(staked(economy, 201, 101), 1'990 * kTao);
  EXPECT_EQ(economy.call(key(101), BurnAlpha{key(201), kTao, kRootNetuid}),
            DispatchError::kCannotBurnOrRecycleOnRootSubnet);
}

TEST(AddStakeBurn, BuysAndDestroysInOne) {
  Economy economy;
  const U64F64 price = price_of(economy.state(), kSubnet);
  EXPECT_FALSE(economy.call(key(103), AddStakeBurn{key(201), kSubnet, 10 * kTao, std::nullopt}));
  EXPECT_LE(staked(economy, 201, 103), 1u);
  EXPECT_GT(price_of(economy.state(), kSubnet), price);
}

TEST(Stakes, RaisingTheTotalPaysEveryHolderProRata) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), AddStake{key(202), kSubnet, 100 * kTao}));
  const std::uint64_t own = staked(economy, 202, 102), others = staked(economy, 202, 103);
  Journal journal;
  Events events;
  const Context context{economy.state(), journal, events, {}};
  increase_stake_of_all(context, key(202), kSubnet, own + others);
  EXPECT_NEAR(static_cast<double>(staked(economy, 202, 102)), 2.0 * static_cast<double>(own), 2.0);
  EXPECT_NEAR(static_cast<double>(staked(economy, 202, 103)), 2.0 * static_cast<double>(others),
              2.0);
}

TEST(Stakes, TheTotalStakeOfAHotkeyCountsEverySubnetAtItsPrice) {
  Economy economy(two_subnets());
  EXPECT_FALSE(economy.call(key(101), SwapStake{key(201), 1, 2, 40 * kTao}));
  double expected = 0;
  for (Netuid netuid = 0; netuid < 3; ++netuid)
    expected += static_cast<double>(stake_of(economy.state(), key(201), netuid)) *
                std::ldexp(static_cast<double>(price_of(economy.state(), netuid).bits), -64);
  EXPECT_NEAR(static_cast<double>(total_stake_of(economy.state(), key(201))), expected, 1'000.0);
}

}  // namespace
}  // namespace muster::chain::runtime
