#include "cli/tune.h"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

const Links kHome{.uplink = 1.25e6, .downlink = 12.5e6, .round_s = 600, .share_max = 0.05};

protocol::ProtocolParams model_of_some_millions() {
  protocol::ProtocolParams params;
  params.model = {.d_model = 256,
                  .layers = 4,
                  .heads = 4,
                  .kv_heads = 4,
                  .d_ff = 704,
                  .context = 128,
                  .vocab = 256};
  return params;
}

TEST(Tune, CountsWhatTheCodecReallyWrites) {
  const auto densities = tune(model_of_some_millions(), kHome, 100);
  ASSERT_EQ(densities.size(), 10u);
  EXPECT_EQ(densities.front().keep, 8u);
  EXPECT_EQ(densities.back().keep, 4096u);
  const auto parameters =
      static_cast<double>(state::layout_of(model_of_some_millions().model).parameters());
  const TunedDensity& usual = densities[3];
  ASSERT_EQ(usual.keep, 64u);
  EXPECT_NEAR(usual.bytes_up / parameters, 0.0193, 0.0002);
  EXPECT_DOUBLE_EQ(usual.seconds_up, usual.bytes_up / kHome.uplink);
  EXPECT_DOUBLE_EQ(usual.sweeps, 100.0 * 64 / 4096);
}

TEST(Tune, PenaltyFallsWithEverySweepAndEndsAtNothing) {
  EXPECT_DOUBLE_EQ(loss_penalty(3.1), 0.112);
  EXPECT_DOUBLE_EQ(loss_penalty(12.5), 0.030);
  EXPECT_DOUBLE_EQ(loss_penalty(1e6), 0);
  double before = loss_penalty(0.1);
  for (double sweeps = 0.2; sweeps < 1000; sweeps *= 1.3) {
    EXPECT_LE(loss_penalty(sweeps), before);
    before = loss_penalty(sweeps);
  }
}

TEST(Tune, PicksTheLeastPenaltyThatFitsAndThenTheFewestBytes) {
  const std::vector<TunedDensity> densities{
      {.keep = 64, .bytes_up = 1, .share = 0.01, .loss_penalty = 0.02},
      {.keep = 128, .bytes_up = 2, .share = 0.02, .loss_penalty = 0},
      {.keep = 256, .bytes_up = 3, .share = 0.03, .loss_penalty = 0},
      {.keep = 512, .bytes_up = 4, .share = 0.30, .loss_penalty = 0}};
  EXPECT_EQ(pick(densities, kHome).keep, 128u);
  EXPECT_EQ(pick(densities, {.share_max = 0.01}).keep, 64u);
  EXPECT_EQ(pick(densities, {.share_max = 0.001}).keep, 64u) << "nothing fits";
}

}  // namespace
}  // namespace muster::cli
