#include "base/result.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

Result<int> half(int x) {
  if (x % 2 != 0) return Error{Errc::kInvalidArgument, "odd"};
  return x / 2;
}
Result<int> quarter(int x) {
  MUSTER_TRY(const int once, half(x));
  MUSTER_TRY(const int twice, half(once));
  return twice;
}
Status check_even(int x) {
  MUSTER_TRY_STATUS(half(x).has_value() ? Status() : Status(Error{Errc::kMalformed, "not even"}));
  return {};
}

TEST(Result, CarriesAValueThroughTry) { EXPECT_EQ(quarter(12).value(), 3); }

TEST(Result, ReturnsTheFirstErrorThroughTry) {
  const auto result = quarter(6);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::kInvalidArgument);
}

TEST(Result, StatusCarriesItsError) {
  EXPECT_TRUE(check_even(2));
  EXPECT_EQ(check_even(3).error().message, "not even");
}

TEST(Result, WithinPutsThePlaceInFront) {
  Error error{Errc::kIo, "disk on fire"};
  EXPECT_EQ(std::move(error).within("run.toml:3").message, "run.toml:3: disk on fire");
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
  EXPECT_DEATH((void)quarter(6).value(), "odd");
}

}  // namespace
}  // namespace muster
