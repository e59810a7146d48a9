#include "chain/economy/pool.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace muster::chain {
namespace {

constexpr Pool kPool{1'000'000'000'000'000, 30'000'000'000'000};

SwapOrder order(Side side, std::uint64_t amount, std::uint16_t fee_rate = 33) {
  SwapOrder result;
  result.side = side;
  result.amount = amount;
  result.fee_rate = fee_rate;
  result.limit_price = price_from_limit(side == Side::kBuy ? kPriceLimitMax : kPriceLimitMin);
  return result;
}

SwapRefusal refusal(const Pool& pool, const SwapOrder& what) {
  const auto outcome = quote_swap(pool, what);
  const auto* refused = std::get_if<SwapRefusal>(&outcome);
  EXPECT_NE(refused, nullptr);
  return refused != nullptr ? *refused : SwapRefusal::kInsufficientLiquidity;
}

double number(U64F64 value) { return std::ldexp(static_cast<double>(value.bits), -64); }

rc::Gen<Pool> any_pool() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange<std::uint64_t>(kReserveMin, 1'000'000'000'000'000'000),
                     rc::gen::inRange<std::uint64_t>(kReserveMin, 21'000'000'000'000'000)),
      [](const std::tuple<std::uint64_t, std::uint64_t>& reserves) {
        return Pool{std::get<0>(reserves), std::get<1>(reserves)};
      });
}

TEST(Pool, HasAPriceOfZeroWithoutAlpha) {
  EXPECT_EQ(price_of({0, 1000}), U64F64::zero());
  EXPECT_EQ(price_of({1000, 1000}), U64F64::one());
}

TEST(Pool, WeightsMustBothBeAHundredth) {
  EXPECT_FALSE(is_valid_weight(kWeightMin - 1));
  EXPECT_TRUE(is_valid_weight(kWeightMin));
  EXPECT_TRUE(is_valid_weight(kWeightOne - kWeightMin));
  EXPECT_FALSE(is_valid_weight(kWeightOne - kWeightMin + 1));
  EXPECT_FALSE(is_valid_weight(UINT64_MAX));
}

TEST(Pool, RefusesMoreThanAThousandReserves) {
  const Pool pool{10'000'000, 10'000'000};
  EXPECT_EQ(refusal(pool, order(Side::kSell, 10'000'000'001, 0)), SwapRefusal::kInputTooLarge);
  // The fee does not count.
  EXPECT_TRUE(
      std::holds_alternative<Swap>(quote_swap(pool, order(Side::kSell, 10'000'000'001, 65535))));
}

TEST(Pool, RefusesASmallOutputReserve) {
  EXPECT_EQ(refusal({kReserveMin - 1, 1'000'000'000}, order(Side::kBuy, 1000)),
            SwapRefusal::kReservesTooLow);
  EXPECT_EQ(refusal({1'000'000'000, kReserveMin - 1}, order(Side::kSell, 1000)),
            SwapRefusal::kReservesTooLow);
}

TEST(Pool, RefusesWhatGivesNothing) {
  EXPECT_EQ(refusal(kPool, order(Side::kSell, 1)), SwapRefusal::kReservesTooLow);
}

TEST(Pool, SwapsNothingForNothing) {
  const auto outcome = quote_swap(kPool, order(Side::kBuy, 0));
  ASSERT_TRUE(std::holds_alternative<Swap>(outcome));
  EXPECT_EQ(std::get<Swap>(outcome).amount_out, 0u);
}

TEST(Pool, RefusesALimitThatIsTheCurrentPrice) {
  SwapOrder at_price = order(Side::kBuy, 1'000'000'000);
  at_price.limit_price = price_of(kPool);
  EXPECT_EQ(refusal(kPool, at_price), SwapRefusal::kPriceLimitExceeded);
  at_price.side = Side::kSell;
  EXPECT_EQ(refusal(kPool, at_price), SwapRefusal::kPriceLimitExceeded);
}

TEST(Pool, AFeeOfEverythingLeavesNothingToSwap) {
  const auto outcome = quote_swap(kPool, order(Side::kBuy, 1'000'000, 65535));
  ASSERT_TRUE(std::holds_alternative<Swap>(outcome));
  EXPECT_EQ(std::get<Swap>(outcome).amount_in, 0u);
  EXPECT_EQ(std::get<Swap>(outcome).fee, 1'000'000u);
}

TEST(Pool, PowersOfReservesAreAtMostOneWhenTheyGrow) {
  EXPECT_EQ(reserve_power(kWeightHalf, 1000, 0, Exponent::kBaseOverQuote), U64F64::one());
  EXPECT_EQ(reserve_power(kWeightHalf, 0, 0, Exponent::kBaseOverQuote), U64F64::zero());
  EXPECT_EQ(reserve_power(kWeightHalf, 1000, -1000, Exponent::kBaseOverQuote), U64F64::zero());
  EXPECT_GT(reserve_power(kWeightHalf, 1000, -500, Exponent::kBaseOverQuote), U64F64::one());
}

TEST(Pool, APowerOverSixtyFourBitsIsZero) {
  EXPECT_EQ(
      reserve_power(kWeightHalf, UINT64_MAX, -(Int128{UINT64_MAX} - 1), Exponent::kBaseOverQuote),
      U64F64::zero());
}

TEST(Injection, IntoAPoolWithoutAlphaIsRefused) {
  EXPECT_FALSE(with_injection({0, 1000}, 5, 5).has_value());
}

TEST(Injection, IntoAnEmptyPoolStartsWithHalves) {
  const auto pool = with_injection({}, 5, 5);
  ASSERT_TRUE(pool.has_value());
  EXPECT_EQ(pool->quote_weight, kWeightHalf);
}

TEST(Injection, IsRefusedWhereAWeightWouldVanish) {
  EXPECT_TRUE(with_injection({1000, 1000}, 97'000, 0).has_value());
  EXPECT_FALSE(with_injection({1000, 1000}, 99'000, 0).has_value());
}

TEST(Injection, SaturatesHugeReserves) {
  EXPECT_TRUE(with_injection({UINT64_MAX, UINT64_MAX}, UINT64_MAX, UINT64_MAX).has_value());
}

TEST(WeightForPrice, GivesThatPrice) {
  const auto weight = weight_for_price(4'000'000'000, 1'000'000'000, price_from_limit(200'000'000));
  ASSERT_TRUE(weight.has_value());
  EXPECT_NEAR(number(price_of({4'000'000'000, 1'000'000'000, *weight})), 0.2, 1e-9);
  EXPECT_FALSE(weight_for_price(0, 0, U64F64::one()).has_value());
  EXPECT_FALSE(weight_for_price(1, 1000, U64F64::one()).has_value());
}

// The power's last decimal and the last bit of its division may give two units too much from
// reserves of 10^18.
RC_GTEST_PROP(Pool, ASwapLowersTheProductByRoundingAtMost, ()) {
  const Pool pool = *any_pool();
  const Side side = *rc::gen::element(Side::kBuy, Side::kSell);
  const auto amount = *rc::gen::inRange<std::uint64_t>(1, 21'000'000'000'000'000);
  const auto outcome = quote_swap(pool, order(side, amount));
  RC_PRE(std::holds_alternative<Swap>(outcome));
  Pool after = after_swap(pool, side, std::get<Swap>(outcome));
  (side == Side::kBuy ? after.alpha_reserve : after.tao_reserve) += 2;
  RC_ASSERT(Uint128{after.alpha_reserve} * after.tao_reserve >=
            Uint128{pool.alpha_reserve} * pool.tao_reserve);
}

RC_GTEST_PROP(Pool, ThereAndBackGivesNoProfitBeyondRounding, ()) {
  const Pool pool = *any_pool();
  const auto amount = *rc::gen::inRange<std::uint64_t>(1'000'000, 1'000'000'000'000);
  const auto bought = quote_swap(pool, order(Side::kBuy, amount, 0));
  RC_PRE(std::holds_alternative<Swap>(bought));
  const Swap buy = std::get<Swap>(bought);
  const auto sold =
      quote_swap(after_swap(pool, Side::kBuy, buy), order(Side::kSell, buy.amount_out, 0));
  RC_PRE(std::holds_alternative<Swap>(sold));
  RC_ASSERT(std::get<Swap>(sold).amount_out <=
            amount + 2 + 2 * (pool.tao_reserve / pool.alpha_reserve));
}

RC_GTEST_PROP(Pool, MoreInGivesNoLessOut, ()) {
  Pool pool = *any_pool();
  pool.quote_weight =
      *rc::gen::element(kWeightHalf, kWeightOne / 3, std::uint64_t{501'234'567'890'123'456});
  const Side side = *rc::gen::element(Side::kBuy, Side::kSell);
  const auto less = *rc::gen::inRange<std::uint64_t>(0, 1'000'000'000'000);
  const auto more = *rc::gen::inRange<std::uint64_t>(less, 1'000'000'000'001);
  RC_ASSERT(amount_out(pool, side, less) <= amount_out(pool, side, more));
}

RC_GTEST_PROP(Pool, StopsAtItsLimit, ()) {
  const auto factor = *rc::gen::inRange<std::uint64_t>(1'001, 2'000);
  SwapOrder limited = order(Side::kBuy, 20'000'000'000'000'000);
  limited.limit_price = price_from_limit(30'000'000 * factor / 1'000);
  const auto outcome = quote_swap(kPool, limited);
  RC_ASSERT(std::holds_alternative<Swap>(outcome));
  const Swap swap = std::get<Swap>(outcome);
  RC_ASSERT(swap.hit_limit);
  RC_ASSERT(swap.amount_in + swap.fee < limited.amount);
  const double after = number(price_of(after_swap(kPool, Side::kBuy, swap)));
  RC_ASSERT(std::fabs(after / number(limited.limit_price) - 1) < 1e-6);
}

RC_GTEST_PROP(Injection, KeepsThePrice, ()) {
  const Pool pool = *any_pool();
  const auto tao = *rc::gen::inRange<std::uint64_t>(0, pool.tao_reserve);
  const auto alpha = *rc::gen::inRange<std::uint64_t>(0, pool.alpha_reserve);
  const auto after = with_injection(pool, tao, alpha);
  RC_ASSERT(after.has_value());
  RC_ASSERT(std::fabs(number(price_of(*after)) / number(price_of(pool)) - 1) < 1e-6);
}

}  // namespace
}  // namespace muster::chain
