#include "protocol/patience.h"

#include <gtest/gtest.h>

namespace muster::protocol {
namespace {

TEST(Patience, IsOverAfterAWhileWithoutAnythingOfUse) {
  Patience patience(2000);
  patience.satisfied(1000);
  EXPECT_FALSE(patience.is_over(2999));
  EXPECT_TRUE(patience.is_over(3000));
}

TEST(Patience, AsksAtOnceForWhatWasMissedButNotAllTheTime) {
  Patience patience(2000);
  EXPECT_TRUE(patience.may_ask(0));
  EXPECT_FALSE(patience.may_ask(100));
  EXPECT_TRUE(patience.may_ask(250));
  patience.next_round();
  EXPECT_TRUE(patience.may_ask(251));
}

TEST(Patience, TellsALongSilenceOnceAndThenSeldomer) {
  Patience patience(2000);
  patience.heard(0);
  EXPECT_FALSE(patience.complaint(29'999, Round{3}));
  const auto told = patience.complaint(30'000, Round{3});
  ASSERT_TRUE(told.has_value());
  EXPECT_NE(told->find("for 30 s, before round 3"), std::string::npos) << *told;
  EXPECT_FALSE(patience.complaint(59'000, Round{3}));
  EXPECT_TRUE(patience.complaint(60'000, Round{3}));
  EXPECT_FALSE(patience.complaint(100'000, Round{3}));
  patience.heard(100'000);
  EXPECT_FALSE(patience.complaint(120'000, Round{3}));
  EXPECT_TRUE(patience.complaint(130'000, Round{3}));
}

}  // namespace
}  // namespace muster::protocol
