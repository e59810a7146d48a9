#include "cli/units.h"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

TEST(Units, ReadRatesInBitsAndBytes) {
  EXPECT_EQ(parse_rate("100mbit").value(), 12.5e6);
  EXPECT_EQ(parse_rate("1.5gbit").value(), 187.5e6);
  EXPECT_EQ(parse_rate("12MB").value(), 12e6);
}

TEST(Units, ReadDurations) {
  EXPECT_EQ(parse_duration("90s").value(), 90);
  EXPECT_EQ(parse_duration("20min").value(), 1200);
  EXPECT_EQ(parse_duration("1.5h").value(), 5400);
}

TEST(Units, RefuseWhatIsNoQuantityAndSayTheForm) {
  for (const char* text :
       {"", "fast", "100", "-1mbit", "0mbit", "1e999mbit", "100 mbit", "100mbits", "nanmbit"}) {
    const auto rate = parse_rate(text);
    ASSERT_FALSE(rate) << text;
    EXPECT_NE(rate.error().message.find("100mbit"), std::string::npos);
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Units, ReadSharesInPercentAndPlain) {
  EXPECT_EQ(parse_share("1%").value(), 0.01);
  EXPECT_EQ(parse_share("0.5 %").value(), 0.005);
  EXPECT_EQ(parse_share("0.25").value(), 0.25);
  EXPECT_EQ(parse_share("0").value(), 0);
  for (const char* text : {"", "%", "1 percent", "101%", "1.5", "-1%", "nan", "1%%"})
    EXPECT_FALSE(parse_share(text)) << text;
}

TEST(Units, WriteThreeDigitsInTheLargestUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1234567), "1.23 MB");
  EXPECT_EQ(human_seconds(1200), "20 min");
  EXPECT_EQ(human_seconds(0.04), "40 ms");
}

TEST(Units, ReadAmountsExactly) {
  EXPECT_EQ(parse_rao("12").value(), 12'000'000'000u);
  EXPECT_EQ(parse_rao("0.000000001").value(), 1u);
  EXPECT_EQ(parse_rao("20999999.999999999").value(), 20'999'999'999'999'999u)
      << "a double would round this";
  for (const char* wrong :
       {"", ".", "1.", ".5", "-1", "1e3", "1.0000000001", "12 TAO", "99999999999"})
    EXPECT_FALSE(parse_rao(wrong).has_value()) << wrong;
}

TEST(Units, WriteAmountsExactlyOrForPeople) {
  EXPECT_EQ(exact_tao(20'999'999'999'999'999u), "20999999.999999999");
  EXPECT_EQ(exact_tao(1), "0.000000001");
  EXPECT_EQ(human_tao(1'234'567'890'123'456u), "1 234 567.890");
  EXPECT_EQ(human_tao(5), "0.000");
}

}  // namespace
}  // namespace muster::cli
