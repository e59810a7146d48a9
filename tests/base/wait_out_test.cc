#include "base/wait_out.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

class WaitOut : public ::testing::Test {
 protected:
  Status run(const std::function<Status()>& attempt) {
    return wait_out(attempt, stop_, Logger(), [this] { ++pauses_; });
  }
  std::atomic<bool> stop_{false};
  int pauses_ = 0;
};

TEST_F(WaitOut, RepeatsUntilTheDiskHasRoom) {
  int attempts = 0;
  EXPECT_TRUE(run([&]() -> Status {
    if (++attempts < 4) return Error{Errc::kNoSpace, "full"};
    return {};
  }));
  EXPECT_EQ(attempts, 4);
  EXPECT_EQ(pauses_, 3);
}

TEST_F(WaitOut, WaitsForDescriptorsToo) {
  int attempts = 0;
  EXPECT_TRUE(run([&]() -> Status {
    if (++attempts == 1) return Error{Errc::kNoDescriptors, "too many open files"};
    return {};
  }));
}

TEST_F(WaitOut, ReportsWhatDoesNotPassByItself) {
  EXPECT_EQ(run([] { return Status(Error{Errc::kIo, "broken"}); }).error().code, Errc::kIo);
  EXPECT_EQ(pauses_, 0);
}

TEST_F(WaitOut, GivesUpWhenTheNodeStops) {
  const Status status = run([&]() -> Status {
    stop_ = pauses_ == 2;
    return Error{Errc::kNoSpace, "full"};
  });
  EXPECT_EQ(status.error().code, Errc::kNoSpace);
}

}  // namespace
}  // namespace muster
