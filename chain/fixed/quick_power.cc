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

// -ln(smaller / larger), or nothing for a base below 1/1024. REQUIRES: smaller <= larger, not zero.
std::optional<Uint128> minus_log(Uint128 smaller, Uint128 larger) {
  const Uint128 base =
      wide_divide({smaller >> (128 - kBits), smaller << kBits}, larger).quotient.low;
  if (base >> (kBits - kShiftMax) == 0) return std::nullopt;
  const int shift = __builtin_clzll(high_half(base)) - (127 - kBits);
  return static_cast<unsigned>(shift) * kLnTwo - log_of_mantissa(base << shift);
}

// floor(value * scale * 2^doublings). REQUIRES: a value below 2, and a result of 64 bits.
std::uint64_t digits(Uint128 value, std::uint64_t scale, int doublings) {
  const int drop = kBits - doublings;
  const U256 product = wide_multiply(value, scale);
  return low_half(drop >= 128 ? product.high >> (drop - 128)
                              : (product.high << (128 - drop)) | (product.low >> drop));
}

}  // namespace

std::optional<std::uint64_t> quick_power(const QuickPower& what, std::uint64_t scale) {
  const bool grows = what.numerator > what.denominator;
  const Uint128 smaller = grows ? what.denominator : what.numerator;
  if (smaller == 0 || what.degree == 0 || what.power / what.degree >= kExponentMax)
    return std::nullopt;
  const auto log = minus_log(smaller, grows ? what.numerator : what.denominator);
  if (!log) return std::nullopt;
  const U256 product = wide_divide(wide_multiply(*log, what.power), what.degree).quotient;
  // Below e^-32 the slow computation is on its own as well; above e^2 the result leaves 64 bits.
  if (product.high != 0 || product.low >> (kBits + (grows ? 1 : 5)) != 0) return std::nullopt;

  // e^x is 2^doublings * e^-rest with a rest below one.
  const auto twos = static_cast<int>(product.low / kLnTwo);
  const Uint128 over = product.low % kLnTwo;
  const int doublings = grows ? twos + 1 : -twos;
  const Uint128 power = exp_of_minus(grows ? kLnTwo - over : over);

  const std::uint64_t least = digits(power > kErrorBits ? power - kErrorBits : 0, scale, doublings);
  if (least != digits(power + kErrorBits, scale, doublings)) return std::nullopt;
  return least;
}

}  // namespace muster::chain
