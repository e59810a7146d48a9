#include "trainer/hf/float_formats.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muster::trainer {
namespace {

// By the definition: (−1)^s · 2^(e − bias) · 1.m, without the leading 1 and with exponent 1 where e
// is 0.
double by_definition(std::uint32_t bits, int mantissa_bits, int bias) {
  const int exponent = static_cast<int>(bits >> mantissa_bits) & (2 * bias + 1);
  const double fraction = std::ldexp(bits & ((1u << mantissa_bits) - 1), -mantissa_bits);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
  return bits >> 15 ? -magnitude : magnitude;
}

TEST(FloatFormats, EveryFiniteHalfIsTheNumberOfItsDefinition) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = float_of_f16(static_cast<std::uint16_t>(bits));
    if ((bits >> 10 & 31) == 31) continue;
    ASSERT_EQ(static_cast<double>(value), by_definition(bits, 10, 15)) << bits;
    ASSERT_EQ(std::signbit(value), bits >> 15 != 0) << bits;
  }
}

TEST(FloatFormats, EveryFiniteBfloatIsTheNumberOfItsDefinition) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    if ((bits >> 7 & 255) == 255) continue;
    ASSERT_EQ(static_cast<double>(float_of_bf16(static_cast<std::uint16_t>(bits))),
              by_definition(bits, 7, 127))
        << bits;
  }
}

TEST(FloatFormats, InfinitiesAndNansStayWhatTheyAre) {
  EXPECT_EQ(float_of_f16(0x7c00), INFINITY);
  EXPECT_EQ(float_of_f16(0xfc00), -INFINITY);
  EXPECT_TRUE(std::isnan(float_of_f16(0x7c01)));
  EXPECT_TRUE(std::isnan(float_of_f16(0xffff)));
  EXPECT_EQ(float_of_bf16(0xff80), -INFINITY);
  EXPECT_TRUE(std::isnan(float_of_bf16(0x7fc0)));
}

}  // namespace
}  // namespace muster::trainer
