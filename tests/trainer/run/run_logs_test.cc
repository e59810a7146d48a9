#include "trainer/run/run_logs.h"

#include <gtest/gtest.h>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

class RunLogsTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  double wall_s_ = 1700000000;

  Result<RunLogs> open(std::uint64_t step) {
    wall_s_ += 10;
    return RunLogs::open(directory_.path(), step, [this] { return wall_s_; });
  }
  std::string text(const char* name) const {
    const Bytes bytes = read_file(directory_ / name, 1 << 20).value();
    return {bytes.begin(), bytes.end()};
  }
  static StepReport report(std::uint64_t step) {
    return {.step = step,
            .tokens = step * 8,
            .loss = 1.0 / static_cast<double>(step),
            .learning_rate = 0.1,
            .gradient_norm = 2};
  }
};

TEST_F(RunLogsTest, WritesARowPerStepInTheShortestExactForm) {
  auto logs = open(0).value();
  ASSERT_TRUE(logs.add_step(report(1)));
  StepReport skipped = report(3);
  skipped.verdict = Verdict::kSpike;
  ASSERT_TRUE(logs.add_step(skipped));
  EXPECT_EQ(text("losses.csv"),
            "step,tokens,loss,learning_rate,gradient_norm,skipped\n1,8,1,0.1,2,0\n3,24,0."
            "3333333333333333,0.1,2,1\n");
}

TEST_F(RunLogsTest, DropsWhatIsBehindTheCheckpointThatTheRunGoesOnFrom) {
  {
    auto logs = open(0).value();
    for (std::uint64_t step = 1; step <= 12; ++step) {
      ASSERT_TRUE(logs.add_step(report(step)));
      if (step % 4 != 0) continue;
      ASSERT_TRUE(logs.add_held_out(step, 5));
    }
  }
  const std::string whole = text("losses.csv"), held_out = text("held_out.csv");
  {
    auto logs = open(8).value();
    EXPECT_EQ(text("held_out.csv"), "step,loss\n4,5\n8,5\n");
    for (std::uint64_t step = 9; step <= 12; ++step) ASSERT_TRUE(logs.add_step(report(step)));
    ASSERT_TRUE(logs.add_held_out(12, 5));
  }
  EXPECT_EQ(text("losses.csv"), whole);
  EXPECT_EQ(text("held_out.csv"), held_out);
}

TEST_F(RunLogsTest, MeasuringAStepTwiceGivesOneRow) {
  {
    auto logs = open(0).value();
    ASSERT_TRUE(logs.add_held_out(12, 5));
  }
  auto logs = open(12).value();
  ASSERT_TRUE(logs.add_held_out(12, 5));
  EXPECT_EQ(text("held_out.csv"), "step,loss\n12,5\n");
}

TEST_F(RunLogsTest, RefusesAFileThatIsNoLog) {
  ASSERT_TRUE(replace_file(directory_ / "losses.csv", bytes_of("mine\n")));
  EXPECT_EQ(open(0).error().code, Errc::kMalformed);
}

TEST_F(RunLogsTest, BeginsAnEventFilePerStart) {
  { ASSERT_TRUE(open(0).has_value()); }
  { ASSERT_TRUE(open(5).has_value()); }
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(directory_ / "events"))
    ++files;
  EXPECT_EQ(files, 2u);
}

TEST(RowsUpTo, KeepsHeaderAndWholeRowsOnly) {
  EXPECT_EQ(rows_up_to("step,x\n1,a\n2,b\n10,c\n", 2), "step,x\n1,a\n2,b\n");
  EXPECT_EQ(rows_up_to("step,x\n1,a\n2,", 9), "step,x\n1,a\n")
      << "half a line of a machine that lost power";
  EXPECT_EQ(rows_up_to("step,x\n1,a\n", 0), "step,x\n");
  EXPECT_EQ(rows_up_to("", 5), "");
}

}  // namespace
}  // namespace muster::trainer
