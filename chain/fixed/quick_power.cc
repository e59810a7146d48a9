#include "chain/fixed/quick_power.h"

#include <array>

#include "chain/fixed/wide.h"

namespace muster::chain {
namespace {

// Numbers of 120 fraction bits. A step's rounding is at most one of their last bits, called a bit
// below.
constexpr int kBits = 120;
constexpr Uint128 kOne = Uint128{1} << kBits;
constexpr unsigned kSlots = 32;     // of the tables: what is left for a series is below 1/32
constexpr unsigned kLogTerms = 25;  // 32^-25 / 25 < 2^-120
constexpr unsigned kExpTerms = 17;  // 32^-17 / 17! < 2^-120
constexpr int kShiftMax = 10;       // bases from 1/1024 on
constexpr std::uint64_t kExponentMax = 99;

// The base is off by a bit, which relative to 1/1024 is 2^10 bits. Its logarithm is off by these
// and by less than 2^9 of tables and series, the exponent multiplies both by less than 99, and the
// exponential adds less than 2^10. This is over six times the sum.
constexpr Uint128 kErrorBits = Uint128{1} << 20;

constexpr Uint128 multiply(Uint128 a, Uint128 b) {
  const U256 product = wide_multiply(a, b);
  return (product.high << (128 - kBits)) | (product.low >> kBits);
}

struct Tables {
  std::array<Uint128, kSlots> inverse{};            // 1 / (1 + i/32)
  std::array<Uint128, kSlots + 1> log{};            // ln(1 + i/32); the last is ln 2
  std::array<Uint128, kSlots> exp{};                // e^(-i/32)
  std::array<Uint128, kLogTerms + 1> reciprocal{};  // 1 / n
  std::array<Uint128, kExpTerms + 1> factorial{};   // 1 / n!
};

// ln((1 + z) / (1 - z)) = 2 (z + z^3 / 3 + ...) with z = i / (64 + i).
constexpr Uint128 log_of_slot(unsigned i) {
  Uint128 power = kOne * i / (64 + i);
  Uint128 sum = 0;
  for (unsigned n = 1; power != 0; n += 2) {
    sum += power / n;
    power = power * i / (64 + i) * i / (64 + i);
  }
  return 2 * sum;
}

constexpr Uint128 exp_of_slot(unsigned i) {
  Uint128 term = kOne;
  Uint128 plus = 0;
  Uint128 minus = 0;
  for (unsigned n = 1; term != 0; ++n) {
    (n % 2 == 1 ? plus : minus) += term;
    term = term * i / (kSlots * n);
  }
  return plus - minus;
}

constexpr Tables make_tables() {
  Tables tables;
  for (unsigned i = 0; i < kSlots; ++i) {
    tables.inverse[i] = kOne / (kSlots + i) * kSlots;
    tables.exp[i] = exp_of_slot(i);
  }
  for (unsigned i = 0; i <= kSlots; ++i) tables.log[i] = log_of_slot(i);
  for (unsigned n = 1; n <= kLogTerms; ++n) tables.reciprocal[n] = kOne / n;
  tables.factorial[0] = kOne;
  for (unsigned n = 1; n <= kExpTerms; ++n) tables.factorial[n] = tables.factorial[n - 1] / n;
  return tables;
}

constexpr Tables kTables = make_tables();
constexpr Uint128 kLnTwo = kTables.log[kSlots];

// REQUIRES: 1 <= m < 2.
Uint128 log_of_mantissa(Uint128 m) {
  const auto slot = static_cast<unsigned>((m - kOne) >> (kBits - 5));
  const Uint128 product = multiply(m, kTables.inverse[slot]);
  const Uint128 x = product > kOne ? product - kOne : 0;
  Uint128 sum = kTables.reciprocal[kLogTerms];
  for (unsigned n = kLogTerms - 1; n > 0; --n) sum = kTables.reciprocal[n] - multiply(x, sum);
  return kTables.log[slot] + multiply(x, sum);
}

// e^-x. REQUIRES: x < 1.
Uint128 exp_of_minus(Uint128 x) {
  const auto slot = static_cast<unsigned>(x >> (kBits - 5));
  const Uint128 rest = x - (Uint128{slot} << (kBits - 5));
  Uint128 sum = kTables.factorial[kExpTerms];
  for (unsigned n = kExpTerms; n > 0; --n) sum = kTables.factorial[n - 1] - multiply(rest, sum);
  return multiply(kTables.exp[slot], sum);
}

}  // namespace

std::optional<std::uint64_t> quick_power(const QuickPower& what, std::uint64_t scale) {
  if (what.numerator == 0 || what.numerator > what.denominator || what.degree == 0 ||
      what.power / what.degree >= kExponentMax)
    return std::nullopt;
  const Uint128 base =
      wide_divide({Uint128{what.numerator} >> (128 - kBits), Uint128{what.numerator} << kBits},
                  what.denominator)
          .quotient.low;
  if (base >> (kBits - kShiftMax) == 0) return std::nullopt;
  const int shift = high_half(base) == 0 ? 64 : __builtin_clzll(high_half(base)) - (127 - kBits);
  const Uint128 minus_log = static_cast<unsigned>(shift) * kLnTwo - log_of_mantissa(base << shift);

  const U256 product = wide_divide(wide_multiply(minus_log, what.power), what.degree).quotient;
  // Beyond e^-32 the slow computation is on its own as well.
  if (product.high != 0 || product.low >> (kBits + 5) != 0) return std::nullopt;
  const auto halvings = static_cast<int>(product.low / kLnTwo);
  const Uint128 power = exp_of_minus(product.low % kLnTwo);

  const int drop = kBits + halvings;
  const auto digits = [&](Uint128 value) {
    const U256 scaled = wide_multiply(value, scale);
    return drop >= 128 ? scaled.high >> (drop - 128)
                       : (scaled.high << (128 - drop)) | (scaled.low >> drop);
  };
  const Uint128 least = digits(power > kErrorBits ? power - kErrorBits : 0);
  if (least != digits(power + kErrorBits)) return std::nullopt;
  return static_cast<std::uint64_t>(least);
}

}  // namespace muster::chain
