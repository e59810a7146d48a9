#include "chain/economy/pool.h"

#include <algorithm>

#include "chain/fixed/power.h"
#include "chain/fixed/quick_power.h"

namespace muster::chain {
namespace {

constexpr std::uint32_t kSwapPrecisionBits = 256;
constexpr std::uint32_t kLimitPrecisionBits = 1024;

template <class T>
constexpr T saturating_plus(T a, T b) {
  T sum;
  return __builtin_add_overflow(a, b, &sum) ? static_cast<T>(~T{0}) : sum;
}

template <class T>
constexpr T saturating_minus(T a, T b) {
  return a > b ? a - b : T{0};
}

// The price on the way to `limit` from the current one comes first.
bool is_before(Side side, U64F64 price, U64F64 limit) {
  return side == Side::kBuy ? price <= limit : price >= limit;
}

U64F64 price_of(std::uint64_t quote_weight, std::uint64_t alpha, std::uint64_t tao) {
  const U64F64 weights =
      safe_div(fixed_from<U64F64>(kWeightOne - quote_weight), fixed_from<U64F64>(quote_weight));
  return weights * safe_div(fixed_from<U64F64>(tao), fixed_from<U64F64>(alpha));
}

U64F64 price_after(const Pool& pool, Side side, std::uint64_t in, std::uint64_t out) {
  if (side == Side::kBuy)
    return price_of(pool.quote_weight, saturating_minus(pool.alpha_reserve, out),
                    saturating_plus(pool.tao_reserve, in));
  return price_of(pool.quote_weight, saturating_plus(pool.alpha_reserve, in),
                  saturating_minus(pool.tao_reserve, out));
}

std::uint64_t input_reserve(const Pool& pool, Side side) {
  return side == Side::kBuy ? pool.tao_reserve : pool.alpha_reserve;
}

std::uint64_t output_reserve(const Pool& pool, Side side) {
  return side == Side::kBuy ? pool.alpha_reserve : pool.tao_reserve;
}

// floor(10^18 * base^exponent): nothing where that is not defined, negative in the slow series, or
// has no 64 bits and `over` says nothing else.
std::optional<std::uint64_t> scaled_power(const Ratio& base, const Ratio& exponent,
                                          std::uint32_t precision_bits,
                                          std::optional<std::uint64_t> over) {
  const QuickPower quick{base.numerator, base.denominator,
                         static_cast<std::uint64_t>(exponent.numerator),
                         static_cast<std::uint64_t>(exponent.denominator)};
  if (exponent.numerator != exponent.denominator)
    if (const auto result = quick_power(quick, kWeightOne)) return result;
  const auto result = pow_ratio_scaled(base, exponent, precision_bits, kWeightOne);
  if (!result || result->negative) return std::nullopt;
  const auto digits = result->size.to_u64();
  return digits ? digits : over;
}

// The fee on top of a net amount that is not the whole order.
std::uint64_t fee_on_net(std::uint64_t amount_in, std::uint16_t fee_rate) {
  const U64F64 rate = fixed_from<U64F64>(fee_rate);
  const U64F64 on_top = safe_div(rate, fixed_from<U64F64>(65535) - rate);
  return integer_from<std::uint64_t>(fixed_from<U64F64>(amount_in) * on_top);
}

}  // namespace

bool is_valid_weight(std::uint64_t quote_weight) {
  return quote_weight >= kWeightMin && saturating_minus(kWeightOne, quote_weight) >= kWeightMin;
}

U64F64 price_of(const Pool& pool) {
  return price_of(pool.quote_weight, pool.alpha_reserve, pool.tao_reserve);
}

U64F64 price_from_limit(std::uint64_t limit) {
  return safe_div(fixed_from<U64F64>(limit), fixed_from<U64F64>(kPriceScale));
}

std::variant<Swap, SwapRefusal> quote_swap(const Pool& pool, const SwapOrder& order) {
  Swap swap;
  swap.fee = swap_fee(order.amount, order.fee_rate);
  const std::uint64_t net = order.amount - swap.fee;
  const Uint128 net_max =
      std::min<Uint128>(Uint128{input_reserve(pool, order.side)} * kInputReservesMax, UINT64_MAX);
  if (net > net_max) return SwapRefusal::kInputTooLarge;
  if (output_reserve(pool, order.side) < order.reserve_min) return SwapRefusal::kReservesTooLow;
  const U64F64 price = price_of(pool);
  if (is_before(order.side, order.limit_price, price)) return SwapRefusal::kPriceLimitExceeded;

  swap.amount_in = net;
  swap.amount_out = amount_out(pool, order.side, net);
  if (!is_before(order.side, price_after(pool, order.side, net, swap.amount_out),
                 order.limit_price)) {
    swap.hit_limit = true;
    swap.amount_in = amount_to_reach_price(pool, order.side, price, order.limit_price);
    swap.fee = fee_on_net(swap.amount_in, order.fee_rate);
    swap.amount_out = amount_out(pool, order.side, swap.amount_in);
  }
  if (swap.amount_in != 0 && swap.amount_out == 0) return SwapRefusal::kReservesTooLow;
  if (output_reserve(pool, order.side) < swap.amount_out)
    return SwapRefusal::kInsufficientLiquidity;
  return swap;
}

Pool after_swap(const Pool& pool, Side side, const Swap& swap) {
  Pool after = pool;
  if (side == Side::kBuy) {
    after.tao_reserve = saturating_plus(pool.tao_reserve, swap.amount_in);
    after.alpha_reserve = saturating_minus(pool.alpha_reserve, swap.amount_out);
  } else {
    after.alpha_reserve = saturating_plus(pool.alpha_reserve, swap.amount_in);
    after.tao_reserve = saturating_minus(pool.tao_reserve, swap.amount_out);
  }
  return after;
}

std::uint64_t swap_fee(std::uint64_t amount, std::uint16_t fee_rate) {
  const U64F64 rate = safe_div(fixed_from<U64F64>(fee_rate), fixed_from<U64F64>(65535));
  return integer_from<std::uint64_t>(fixed_from<U64F64>(amount) * rate);
}

std::uint64_t amount_out(const Pool& pool, Side side, std::uint64_t amount_in) {
  const auto exponent = side == Side::kBuy ? Exponent::kQuoteOverBase : Exponent::kBaseOverQuote;
  const U64F64 kept =
      reserve_power(pool.quote_weight, input_reserve(pool, side), amount_in, exponent);
  return integer_from<std::uint64_t>(fixed_from<U64F64>(output_reserve(pool, side)) *
                                     (U64F64::one() - kept));
}

std::uint64_t amount_to_reach_price(const Pool& pool, Side side, U64F64 current, U64F64 target) {
  const bool is_buy = side == Side::kBuy;
  const Ratio base = is_buy ? Ratio{target.bits, current.bits} : Ratio{current.bits, target.bits};
  const std::uint64_t weight = is_buy ? pool.base_weight() : pool.quote_weight;
  const std::uint64_t scaled =
      scaled_power(base, {weight, kWeightOne}, kLimitPrecisionBits, UINT64_MAX).value_or(0);
  const U64F64 growth =
      safe_div(fixed_from<U64F64>(scaled), fixed_from<U64F64>(kWeightOne)) - U64F64::one();
  return integer_from<std::uint64_t>(fixed_from<U64F64>(input_reserve(pool, side)) * growth);
}

std::uint64_t alpha_for_tao_out(const Pool& pool, std::uint64_t tao_out) {
  const U64F64 growth = reserve_power(pool.quote_weight, pool.tao_reserve, -Int128{tao_out},
                                      Exponent::kQuoteOverBase);
  return integer_from<std::uint64_t>(fixed_from<U64F64>(pool.alpha_reserve) *
                                     (growth - U64F64::one()));
}

U64F64 reserve_power(std::uint64_t quote_weight, std::uint64_t reserve, Int128 change,
                     Exponent exponent) {
  const std::uint64_t after = change >= 0
                                  ? saturating_plus(reserve, static_cast<std::uint64_t>(change))
                                  : saturating_minus(reserve, static_cast<std::uint64_t>(-change));
  if (after == 0) return U64F64::zero();
  if (after == reserve) return U64F64::one();
  const std::uint64_t base_weight = kWeightOne - quote_weight;
  const auto scaled =
      exponent == Exponent::kBaseOverQuote
          ? scaled_power({reserve, after}, {base_weight, quote_weight}, kSwapPrecisionBits, {})
          : scaled_power({reserve, after}, {quote_weight, base_weight}, kSwapPrecisionBits, {});
  if (!scaled) return U64F64::zero();
  const U64F64 result = safe_div(fixed_from<U64F64>(*scaled), fixed_from<U64F64>(kWeightOne));
  return change >= 0 ? std::min(result, U64F64::one()) : result;
}

std::optional<Pool> with_injection(const Pool& pool, std::uint64_t tao, std::uint64_t alpha) {
  const Uint128 alpha_after = Uint128{pool.alpha_reserve} + alpha;
  const Uint128 tao_after = Uint128{pool.tao_reserve} + tao;
  const auto product = [](std::uint64_t reserve, Uint128 other) {
    Uint128 result;
    return __builtin_mul_overflow(Uint128{reserve}, other, &result) ? kUint128Max : result;
  };
  const Uint128 base = weighted(pool.base_weight(), product(pool.tao_reserve, alpha_after));
  const Uint128 quote = weighted(pool.quote_weight, product(pool.alpha_reserve, tao_after));
  const Uint128 sum = saturating_plus(base, quote);

  Pool after;
  if (sum != 0)
    after.quote_weight =
        static_cast<std::uint64_t>(wide_divide(wide_multiply(quote, kWeightOne), sum).quotient.low);
  if (!is_valid_weight(after.quote_weight)) return std::nullopt;
  after.alpha_reserve = saturating_plus(pool.alpha_reserve, alpha);
  after.tao_reserve = saturating_plus(pool.tao_reserve, tao);
  return after;
}

std::optional<std::uint64_t> weight_for_price(std::uint64_t alpha_reserve,
                                              std::uint64_t tao_reserve, U64F64 price) {
  const Uint128 whole = Uint128{integer_from<std::uint64_t>(price)} * alpha_reserve;
  const U64F64 fraction = U64F64::from_bits(price.bits & UINT64_MAX);
  const Uint128 rest = integer_from<Uint128>(fixed_from<U64F64>(alpha_reserve) * fraction);
  const Uint128 sum = saturating_plus(saturating_plus(whole, rest), Uint128{tao_reserve});
  if (sum == 0) return std::nullopt;
  const auto weight = static_cast<std::uint64_t>(
      wide_divide(wide_multiply(tao_reserve, kWeightOne), sum).quotient.low);
  if (!is_valid_weight(weight)) return std::nullopt;
  return weight;
}

Uint128 weighted(std::uint64_t parts, Uint128 value) {
  const U256 product = wide_add(wide_multiply(value, parts), {0, kWeightOne / 2});
  const U256 rounded = wide_divide(product, kWeightOne).quotient;
  return rounded.high == 0 ? rounded.low : kUint128Max;
}

}  // namespace muster::chain
