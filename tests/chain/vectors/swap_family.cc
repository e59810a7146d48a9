// Cases of swap/1: the weighted pool.
#include <cstdlib>

#include "chain/economy/pool.h"
#include "chain/fixed/power.h"
#include "tests/chain/vectors/dispatch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

std::uint64_t tolerance_of(const json& test) {
  if (!test.contains("tolerance")) return 0;
  const double tolerance = number(test, "tolerance");
  // Below one it is meant for the decimals beside the integers, which stay exact.
  return tolerance < 1 || tolerance > 1e9 ? 0 : static_cast<std::uint64_t>(tolerance);
}

// A weight that no Pool may have is read, but not computed with.
std::uint64_t weight(const json& test) {
  const auto parts = u64(test, "quote_weight");
  if (!is_valid_weight(parts)) throw Malformed("field 'quote_weight' is out of range");
  return parts;
}

Pool pool_of(const json& test) {
  Pool pool{u64(test, "alpha_reserve"), u64(test, "tao_reserve")};
  if (test.contains("quote_weight")) pool.quote_weight = weight(test);
  return pool;
}

Side side_of(const json& test) {
  const std::string& side = string_of(member(test, "side"), "side");
  if (side == "buy") return Side::kBuy;
  if (side == "sell") return Side::kSell;
  throw Malformed("field 'side' is neither buy nor sell");
}

std::string name_of(SwapRefusal refusal) {
  switch (refusal) {
    case SwapRefusal::kInputTooLarge:
      return "SwapInputTooLarge";
    case SwapRefusal::kReservesTooLow:
      return "ReservesTooLow";
    case SwapRefusal::kPriceLimitExceeded:
      return "PriceLimitExceeded";
    case SwapRefusal::kInsufficientLiquidity:
      return "InsufficientLiquidity";
  }
  return "?";
}

Verdict power(const json& test) {
  Verdict verdict;
  const Ratio base{integer<Uint128>(test, "base_num"), integer<Uint128>(test, "base_den")};
  const Ratio exponent{u64(test, "exp_num"), u64(test, "exp_den")};
  const auto result = pow_ratio_scaled(base, exponent, 256, integer<Uint128>(test, "scale"));
  const json& expected = member(test, "expected");
  if (!result) {
    verdict.equal("expected", expected.dump(), std::string("null"));
    return verdict;
  }
  std::string digits;
  for (BigUint rest = result->size; digits.empty() || !rest.is_zero();)
    digits.insert(digits.begin(), static_cast<char>('0' + rest.divide_by(10)));
  if (result->negative) digits.insert(0, "-");
  const auto small = result->size.to_u64();
  if (small && !result->negative) {
    verdict.near("expected", u64(test, "expected"), *small, tolerance_of(test));
  } else {
    verdict.equal("expected", string_of(expected, "expected"), digits);
  }
  return verdict;
}

Verdict reserves(const json& test) {
  Verdict verdict;
  const auto exponent =
      flag(test, "base_quote") ? Exponent::kBaseOverQuote : Exponent::kQuoteOverBase;
  const Int128 change =
      integer_within(member(test, "delta"), "delta", -Int128{UINT64_MAX}, Int128{UINT64_MAX});
  verdict.equal("expected_u64f64", fixed<U64F64>(test, "expected_u64f64"),
                reserve_power(weight(test), u64(test, "reserve"), change, exponent));
  return verdict;
}

Verdict price(const json& test) {
  Verdict verdict;
  verdict.equal("expected_u64f64", fixed<U64F64>(test, "expected_u64f64"), price_of(pool_of(test)));
  return verdict;
}

Verdict rounding(const json& test) {
  Verdict verdict;
  verdict.equal("expected", integer<Uint128>(test, "expected"),
                weighted(u64(test, "p"), integer<Uint128>(test, "value")));
  return verdict;
}

Verdict to_reach_price(const json& test, Side side) {
  Verdict verdict;
  Pool pool;
  pool.quote_weight = weight(test);
  (side == Side::kBuy ? pool.tao_reserve : pool.alpha_reserve) =
      u64(test, side == Side::kBuy ? "tao_reserve" : "alpha_reserve");
  verdict.near("expected", u64(test, "expected"),
               amount_to_reach_price(pool, side, fixed<U64F64>(test, "current_u64f64"),
                                     fixed<U64F64>(test, "target_u64f64")),
               tolerance_of(test));
  return verdict;
}
Verdict tao_to_reach_price(const json& test) { return to_reach_price(test, Side::kBuy); }
Verdict alpha_to_reach_price(const json& test) { return to_reach_price(test, Side::kSell); }

Verdict alpha_for_tao(const json& test) {
  Verdict verdict;
  verdict.near("expected", u64(test, "expected"),
               alpha_for_tao_out(pool_of(test), u64(test, "tao_delta")), tolerance_of(test));
  return verdict;
}

Verdict amounts(const json& test) {
  Verdict verdict;
  const Pool pool = pool_of(test);
  const auto in = u64(test, "delta_in");
  const auto check = [&](const char* field, Side side) {
    if (test.contains(field))
      verdict.near(field, u64(test, field), amount_out(pool, side, in), tolerance_of(test));
  };
  check("expected_sell_tao_out", Side::kSell);
  check("expected_buy_alpha_out", Side::kBuy);
  return verdict;
}

SwapOrder order_of(const json& test, const json& order) {
  SwapOrder result;
  result.side = side_of(order);
  result.amount = u64(order, "amount");
  result.fee_rate = u16(test, "fee_rate");
  if (test.contains("min_reserve")) result.reserve_min = u64(test, "min_reserve");
  return result;
}

Verdict swap(const json& test) {
  Verdict verdict;
  const Pool pool = pool_of(test);
  SwapOrder order = order_of(test, test);
  order.limit_price = fixed<U64F64>(test, "limit_price_u64f64");
  const auto outcome = quote_swap(pool, order);
  const json& expected = member(test, "expected");
  const std::string error =
      expected.contains("error") ? string_of(member(expected, "error"), "error") : "none";
  if (const auto* refusal = std::get_if<SwapRefusal>(&outcome)) {
    verdict.equal("expected.error", error, name_of(*refusal));
    return verdict;
  }
  verdict.equal("expected.error", error, std::string("none"));
  if (error != "none") return verdict;
  const Swap got = std::get<Swap>(outcome);
  const std::uint64_t slack = tolerance_of(test);
  verdict.near("expected.delta_in", u64(expected, "delta_in"), got.amount_in, slack);
  verdict.near("expected.delta_out", u64(expected, "delta_out"), got.amount_out, slack);
  verdict.near("expected.fee", u64(expected, "fee"), got.fee, slack);
  verdict.equal("expected.hit_limit", flag(expected, "hit_limit"), got.hit_limit);
  verdict.near("expected.unspent", u64(expected, "unspent"),
               order.amount - std::min(order.amount, got.amount_in + got.fee), slack);
  const U64F64 after = price_of(after_swap(pool, order.side, got));
  const U64F64 wanted = fixed<U64F64>(expected, "price_after_u64f64");
  // One rao more or less in a reserve moves the price by its part of that reserve.
  const std::uint64_t price_slack = slack == 0 ? 0 : static_cast<std::uint64_t>(wanted.bits >> 30);
  verdict.near("expected.price_after_u64f64", wanted.bits, after.bits, price_slack);
  return verdict;
}

Verdict sequence(const json& test) {
  Verdict verdict;
  Pool pool = pool_of(test);
  for (const json& step : array_of(member(test, "expected"), "expected")) {
    SwapOrder order = order_of(test, step);
    order.limit_price =
        price_from_limit(order.side == Side::kBuy ? kPriceLimitMax : kPriceLimitMin);
    const auto outcome = quote_swap(pool, order);
    if (const auto* refusal = std::get_if<SwapRefusal>(&outcome)) {
      verdict.equal("expected.error", std::string("none"), name_of(*refusal));
      return verdict;
    }
    const Swap got = std::get<Swap>(outcome);
    pool = after_swap(pool, order.side, got);
    const std::uint64_t slack = tolerance_of(test);
    verdict.near("fee", u64(step, "fee"), got.fee, slack);
    verdict.near("delta_in", u64(step, "delta_in"), got.amount_in, slack);
    verdict.near("delta_out", u64(step, "delta_out"), got.amount_out, slack);
    verdict.near("alpha_reserve_after", u64(step, "alpha_reserve_after"), pool.alpha_reserve,
                 slack);
    verdict.near("tao_reserve_after", u64(step, "tao_reserve_after"), pool.tao_reserve, slack);
  }
  return verdict;
}

Verdict fee(const json& test) {
  Verdict verdict;
  verdict.equal("expected", u64(test, "expected"),
                swap_fee(u64(test, "amount"), u16(test, "fee_rate")));
  return verdict;
}

Verdict weight_valid(const json& test) {
  Verdict verdict;
  verdict.equal("expected", flag(test, "expected"), is_valid_weight(u64(test, "quote_weight")));
  return verdict;
}

Verdict injection(const json& test) {
  Verdict verdict;
  const auto after =
      with_injection(pool_of(test), u64(test, "tao_delta"), u64(test, "alpha_delta"));
  const json& expected = member(test, "expected_quote_weight");
  verdict.equal("accepted", !expected.is_null(), after.has_value());
  if (expected.is_null() || !after) return verdict;
  verdict.equal("expected_quote_weight", u64(test, "expected_quote_weight"), after->quote_weight);
  if (test.contains("expected_price_u64f64"))
    verdict.equal("expected_price_u64f64", fixed<U64F64>(test, "expected_price_u64f64"),
                  price_of(*after));
  return verdict;
}

// A fraction such as "1/5", raw bits or a decimal.
U64F64 initial_price(const json& test) {
  if (test.contains("price_u64f64")) return fixed<U64F64>(test, "price_u64f64");
  const json& price = member(test, "price");
  if (price.is_number()) return fixed_from_number<U64F64>(number_of(price, "price"));
  const std::string& text = string_of(price, "price");
  const auto slash = text.find('/');
  const auto part = [&](std::string digits) {
    return fixed_from<U64F64>(integer_of<std::uint64_t>(json(std::move(digits)), "price"));
  };
  if (slash == std::string::npos) return part(text);
  return safe_div(part(text.substr(0, slash)), part(text.substr(slash + 1)));
}

Verdict initial(const json& test) {
  Verdict verdict;
  Pool pool = pool_of(test);
  const auto quote_weight =
      test.contains("price")
          ? weight_for_price(pool.alpha_reserve, pool.tao_reserve, initial_price(test))
          : std::optional(kWeightHalf);
  const json& expected = member(test, "expected_quote_weight");
  verdict.equal("accepted", !expected.is_null(), quote_weight.has_value());
  if (expected.is_null() || !quote_weight) return verdict;
  verdict.equal("expected_quote_weight", u64(test, "expected_quote_weight"), *quote_weight);
  pool.quote_weight = *quote_weight;
  verdict.equal("expected_price_u64f64", fixed<U64F64>(test, "expected_price_u64f64"),
                price_of(pool));
  return verdict;
}

}  // namespace

Verdict check_swap_case(const json& test) {
  static const Checks kChecks{{"pow_scaled", power},
                              {"exp_scaled", reserves},
                              {"price", price},
                              {"mul_perquintill_round", rounding},
                              {"tao_needed_to_reach_price", tao_to_reach_price},
                              {"alpha_needed_to_reach_price", alpha_to_reach_price},
                              {"alpha_needed_for_tao_out", alpha_for_tao},
                              {"convert_deltas", amounts},
                              {"swap", swap},
                              {"swap_sequence", sequence},
                              {"fee", fee},
                              {"weight_valid", weight_valid},
                              {"inject_liquidity", injection},
                              {"init_with_price", initial},
                              {"init_default", initial}};
  return dispatch(kChecks, test, "fn");
}

}  // namespace muster::chain::vectors
