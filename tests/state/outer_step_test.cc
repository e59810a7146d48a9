#include "state/outer_step.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::state {
namespace {

const compression::SparseUpdate kUpdate{{0, 2}, {1.0f, -2.0f}, {2}};

TEST(OuterStep, MovesAgainstTheAggregate) {
  std::vector<float> theta{1, 1, 1};
  outer_step(theta, kUpdate, 0.5f);
  EXPECT_EQ(theta, (std::vector<float>{0.5f, 1, 2}));
}

TEST(OuterStep, IsTheSameFromThePayloadOnAnyNumberOfThreads) {
  const auto layout = compression::Layout::make({{"a", {1500, 4096}}}).value();
  Prng random(5);
  std::vector<float> update(layout.parameters());
  for (float& x : update) x = static_cast<float>(random.uniform() - 0.5);
  const auto payload =
      compression::compress(layout, {64, compression::ValueFormat::kSignMagnitude}, update).value();
  std::vector<float> plain = update;
  outer_step(plain, compression::decode(layout, payload).value(), 0.7f);
  for (unsigned threads : {1u, 3u}) {
    std::vector<float> theta = update;
    ASSERT_TRUE(outer_step(theta, layout, payload, 0.7f, threads));
    EXPECT_EQ(theta, plain);
  }
}

TEST(OuterStep, NamesTheSegmentOfAPayloadThatIsMalformed) {
  const auto layout = compression::Layout::make({{"a", {1500, 4096}}}).value();
  std::vector<float> theta(layout.parameters(), 1.0f);
  auto payload = compression::compress(layout, {}, theta).value();
  payload.segments[1].pop_back();
  const Status stepped = outer_step(theta, layout, payload, 1.0f, 1);
  ASSERT_FALSE(stepped);
  EXPECT_NE(stepped.error().message.find("segment 1"), std::string::npos)
      << stepped.error().message;
}

TEST(OuterStep, IsUndoneBitForBit) {
  Prng random(4);
  std::vector<float> theta(100);
  for (float& x : theta) x = static_cast<float>(random.uniform() * 1e-3);
  const std::vector<float> before = theta;
  compression::SparseUpdate update;
  for (std::uint64_t i = 0; i < 100; i += 3) {
    update.indices.push_back(i);
    update.values.push_back(static_cast<float>(random.uniform() * 1e6));
  }
  const UndoLog log = outer_step_with_undo(theta, update, 1.0f);
  EXPECT_NE(theta, before);
  undo(theta, log);
  EXPECT_EQ(theta, before);
}

TEST(OuterStepDeathTest, RefusesAnUpdateOfAnotherModel) {
  std::vector<float> theta{1, 1};
  EXPECT_DEATH(outer_step(theta, kUpdate, 1), "another model");
  EXPECT_DEATH((void)outer_step_with_undo(theta, kUpdate, 1), "another model");
}

}  // namespace
}  // namespace muster::state
