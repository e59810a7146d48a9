#include "wire/shared_key.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

TEST(SharedKeyWatch, SaysToBothWhenAnOlderConnectionComesBackAgainAndAgain) {
  SharedKeyWatch watch;
  EXPECT_FALSE(watch.returned(1'000));
  EXPECT_FALSE(watch.returned(4'000));
  EXPECT_TRUE(watch.returned(7'000));
  EXPECT_TRUE(watch.returned(8'000)) << "now the other one speaks";
  EXPECT_FALSE(watch.returned(10'000)) << "once a minute";
  EXPECT_TRUE(watch.returned(67'000));
}

TEST(SharedKeyWatch, IsSilentAboutWhatWasUnderWayWhenANodeConnectedAgain) {
  SharedKeyWatch watch;
  for (TimeMs reconnect = 0; reconnect < 10; ++reconnect)
    for (TimeMs late = 0; late < 20; ++late)
      EXPECT_FALSE(watch.returned(reconnect * 200'000 + late * 10));
}

}  // namespace
}  // namespace muster::wire
