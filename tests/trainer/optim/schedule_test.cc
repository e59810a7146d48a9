#include "trainer/optim/schedule.h"

#include <gtest/gtest.h>

namespace muster::trainer {
namespace {

const Schedule kSchedule{1.0, 10, 110, 0.1};

TEST(Schedule, WarmsUpLinearly) {
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 9), 1.0);
}

TEST(Schedule, FallsAlongACosineToItsShare) {
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 10), 1.0);
  EXPECT_NEAR(learning_rate(kSchedule, 60), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate(kSchedule, 110), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(kSchedule, 1000), 0.1, 1e-12) << "and stays there";
}

TEST(Schedule, IsConstantWithoutAnEnd) {
  EXPECT_DOUBLE_EQ(learning_rate({2.0, 0, 0, 0.1}, 12345), 2.0);
}

}  // namespace
}  // namespace muster::trainer
