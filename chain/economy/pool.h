// The weighted pool of a subnet: alpha against TAO, and its price.
//
// With x alpha, y TAO and weights w1 + w2 = 1 the price is (w1 / w2) (y / x), and a swap keeps x^w1
// y^w2. Equal weights are a constant product. An injection in another proportion than the price
// moves the weights instead of the price.
// Source: subtensor: pallets/swap (balancer.rs, swap_step.rs, impls.rs).
// Thread safety: plain values, pure functions. Cost: under 1 us
// for ordinary swaps, at worst a millisecond.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// Weights are parts of 10^18.
inline constexpr std::uint64_t kWeightOne = 1'000'000'000'000'000'000;
inline constexpr std::uint64_t kWeightMin = kWeightOne / 100;  // of either one
inline constexpr std::uint64_t kWeightHalf = kWeightOne / 2;

inline constexpr std::uint64_t kReserveMin = 1'000'000;      // of what a swap takes out
inline constexpr std::uint64_t kInputReservesMax = 1'000;    // net input, in input reserves
inline constexpr std::uint64_t kPriceScale = 1'000'000'000;  // of price limits
inline constexpr std::uint64_t kPriceLimitMin = 1'000;       // a seller's
inline constexpr std::uint64_t kPriceLimitMax = 1'000'000 * kPriceScale;  // a buyer's

struct Pool {
  std::uint64_t alpha_reserve = 0;
  std::uint64_t tao_reserve = 0;
  std::uint64_t quote_weight = kWeightHalf;  // w2, of TAO; is_valid_weight

  [[nodiscard]] std::uint64_t base_weight() const { return kWeightOne - quote_weight; }
  friend bool operator==(const Pool&, const Pool&) = default;
};

// Whether both weights are large enough.
[[nodiscard]] bool is_valid_weight(std::uint64_t quote_weight);

// TAO per alpha; zero for a pool without alpha.
[[nodiscard]] U64F64 price_of(const Pool& pool);

// A price limit in units of 10^-9 TAO per alpha.
[[nodiscard]] U64F64 price_from_limit(std::uint64_t limit);

enum class Side {
  kBuy,   // TAO in, alpha out
  kSell,  // alpha in, TAO out
};

// Closed: why a swap is refused.
enum class SwapRefusal {
  kInputTooLarge,          // more than kInputReservesMax times the input reserve
  kReservesTooLow,         // the output reserve is below its minimum, or the swap gives nothing
  kPriceLimitExceeded,     // the price is at the limit or beyond it
  kInsufficientLiquidity,  // it would take out more than there is
};

struct Swap {
  std::uint64_t amount_in = 0;  // into the pool, the fee not included
  std::uint64_t amount_out = 0;
  std::uint64_t fee = 0;   // of the input; goes to the block's author
  bool hit_limit = false;  // less than the whole amount was swapped
};

struct SwapOrder {
  Side side = Side::kBuy;
  std::uint64_t amount = 0;  // the fee included
  U64F64 limit_price;  // a purchase stops when the price reaches it from below, a sale from above
  std::uint16_t fee_rate = 0;  // parts of 65535; 0 for a swap without fee
  std::uint64_t reserve_min = kReserveMin;
};

// What `order` gives. Changes nothing.
[[nodiscard]] std::variant<Swap, SwapRefusal> quote_swap(const Pool& pool, const SwapOrder& order);
// The pool after that swap. REQUIRES: `swap` is quote_swap's for this pool and side.
[[nodiscard]] Pool after_swap(const Pool& pool, Side side, const Swap& swap);

// floor(amount * fee_rate / 65535), by way of a fixed-point rate.
[[nodiscard]] std::uint64_t swap_fee(std::uint64_t amount, std::uint16_t fee_rate);

// What the pool pays for a net input, rounded down.
[[nodiscard]] std::uint64_t amount_out(const Pool& pool, Side side, std::uint64_t amount_in);

// The net input that moves the price from `current` to `target`, zero where that is the wrong
// direction.
[[nodiscard]] std::uint64_t amount_to_reach_price(const Pool& pool, Side side, U64F64 current,
                                                  U64F64 target);

// The alpha to be sold for `tao_out`.
[[nodiscard]] std::uint64_t alpha_for_tao_out(const Pool& pool, std::uint64_t tao_out);

// (reserve / (reserve + change))^(w1/w2), or ^(w2/w1); rounded down to 18 decimals. Zero where the
// sum is zero or the power has more than 64 bits.
enum class Exponent { kBaseOverQuote, kQuoteOverBase };
[[nodiscard]] U64F64 reserve_power(std::uint64_t quote_weight, std::uint64_t reserve, Int128 change,
                                   Exponent exponent);

// `pool` with both amounts added and its weights moved so that the price stays. Nothing where a
// weight would become too small.
[[nodiscard]] std::optional<Pool> with_injection(const Pool& pool, std::uint64_t tao,
                                                 std::uint64_t alpha);

// The quote weight at which these reserves have `price`. Nothing where both are empty or a weight
// would be too small.
[[nodiscard]] std::optional<std::uint64_t> weight_for_price(std::uint64_t alpha_reserve,
                                                            std::uint64_t tao_reserve,
                                                            U64F64 price);

// round(value * parts / 10^18), at most 2^128 - 1.
[[nodiscard]] Uint128 weighted(std::uint64_t parts, Uint128 value);

}  // namespace muster::chain
