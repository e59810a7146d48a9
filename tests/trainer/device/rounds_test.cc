#include "state/outer_step.h"
#include "tests/trainer/device/device_fixture.h"
#include "trainer/rounds/inner_loop.h"
#include "trainer/rounds/round_engine.h"

namespace muster::trainer {
namespace {

constexpr auto kFormat = compression::two_part_format(512, compression::ValueFormat::kSign);

class RoundsOn : public DeviceTest {
 protected:
  std::unique_ptr<protocol::InnerLoop> make() {
    return make_local_inner_loop(
               config_, theta_,
               [config = config_, device = device()] { return RoundEngine::make(config, device); })
        .value();
  }
  std::unique_ptr<protocol::InnerLoop> make_on_cpu() {
    return make_inner_loop(config_, theta_).value();
  }
  static protocol::TrainReport train(protocol::InnerLoop& loop, std::uint64_t round) {
    const std::atomic<bool> never{false};
    return loop.train(task(round), never, [](std::uint32_t) {}).value();
  }
  static compression::Payload round(protocol::InnerLoop& loop, std::uint64_t number) {
    (void)train(loop, number);
    auto payload = loop.encode(kFormat).value();
    loop.settle(protocol::Settlement::kDelivered);
    return payload;
  }
  void apply_own(protocol::InnerLoop& loop, const compression::Payload& payload) {
    ASSERT_TRUE(loop.apply(compression::decode(state::layout_of(config_.model), payload).value()));
  }
};

TEST_P(RoundsOn, TrainsAsTheCpuDoesWithinRounding) {
  auto on_device = make(), on_cpu = make_on_cpu();
  for (std::uint64_t r = 0; r < 4; ++r) {
    const auto report = train(*on_device, r), expected = train(*on_cpu, r);
    EXPECT_NEAR(report.mean_loss, expected.mean_loss, 1e-2) << "round " << r;
    EXPECT_EQ(report.inner_steps, expected.inner_steps);
    EXPECT_EQ(report.sequences_used, expected.sequences_used);
    EXPECT_EQ(report.skipped_steps, 0u);
    for (auto* loop : {on_device.get(), on_cpu.get()}) {
      const auto payload = loop->encode(kFormat).value();
      loop->settle(protocol::Settlement::kDelivered);
      apply_own(*loop, payload);
    }
  }
}

TEST_P(RoundsOn, LowersTheLossOverRounds) {
  auto loop = make();
  const double first = train(*loop, 0).mean_loss;
  for (std::uint64_t r = 0; r < 12; ++r) apply_own(*loop, round(*loop, r));
  EXPECT_LT(train(*loop, 12).mean_loss, first - 0.5);
}

TEST_P(RoundsOn, LeavesThetaAloneAndStepsItAsTheCpuDoes) {
  auto loop = make();
  const auto payload = round(*loop, 0);
  EXPECT_TRUE(std::ranges::equal(loop->parameters(), theta_));
  const auto aggregate = compression::decode(state::layout_of(config_.model), payload).value();
  ASSERT_TRUE(loop->apply(aggregate));
  auto expected = theta_;
  state::outer_step(expected, aggregate, config_.outer_learning_rate);
  EXPECT_TRUE(std::ranges::equal(loop->parameters(), expected));
}

TEST_P(RoundsOn, GoesOnFromASavedStateAsIfNothingHadHappened) {
  auto original = make();
  apply_own(*original, round(*original, 0));
  ASSERT_TRUE(original->save(directory_ / "state", 7));
  auto restored = make();
  EXPECT_EQ(restored->load(directory_ / "state").value(), 7u);
  EXPECT_EQ(round(*restored, 1), round(*original, 1));
}

TEST_P(RoundsOn, ASavedPendingPayloadIsSettledAfterARestart) {
  for (const auto settlement : {protocol::Settlement::kDelivered, protocol::Settlement::kKept}) {
    auto original = make();
    (void)train(*original, 0);
    ASSERT_TRUE(original->encode(kFormat));
    ASSERT_TRUE(original->save(directory_ / "state", 0));
    auto restored = make();
    ASSERT_TRUE(restored->load(directory_ / "state"));
    original->settle(settlement);
    restored->settle(settlement);
    EXPECT_EQ(round(*restored, 1), round(*original, 1));
  }
}

TEST_P(RoundsOn, GoesOnWhereACpuStopped) {
  auto on_cpu = make_on_cpu();
  apply_own(*on_cpu, round(*on_cpu, 0));
  ASSERT_TRUE(on_cpu->save(directory_ / "state", 1));
  auto loop = make();
  ASSERT_TRUE(loop->load(directory_ / "state"));
  EXPECT_TRUE(std::ranges::equal(loop->parameters(), on_cpu->parameters()));
  EXPECT_NEAR(train(*loop, 1).mean_loss, train(*on_cpu, 1).mean_loss, 1e-2);
}

TEST_P(RoundsOn, TrainsWithMuonAndRefusesTheStateOfAnotherOptimizer) {
  ASSERT_TRUE(make()->save(directory_ / "adamw", 1));
  config_.optimizer.kind = OptimizerKind::kMuon;
  auto on_device = make(), on_cpu = make_on_cpu();
  EXPECT_NEAR(train(*on_device, 0).mean_loss, train(*on_cpu, 0).mean_loss, 2e-2);
  const auto refused = make()->load(directory_ / "adamw");
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("another optimizer"), std::string::npos)
      << refused.error().message;
  on_device->settle(protocol::Settlement::kMissed);
  ASSERT_TRUE(on_device->save(directory_ / "muon", 1));
  EXPECT_TRUE(make_on_cpu()->load(directory_ / "muon").has_value()) << "a card's state is a CPU's";
}

TEST_P(RoundsOn, SendsNothingFromARoundWithoutAFiniteStep) {
  theta_[3] = std::numeric_limits<float>::quiet_NaN();
  auto loop = make();
  const std::atomic<bool> never{false};
  EXPECT_EQ(loop->train(task(0), never, [](std::uint32_t) {}).error().code, Errc::kNonFinite);
}

TEST_P(RoundsOn, StopsWhenAskedTo) {
  auto loop = make();
  std::atomic<bool> stop{false};
  const auto result = loop->train(task(0), stop, [&](std::uint32_t step) { stop = step == 1; });
  EXPECT_EQ(result.error().code, Errc::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(On, RoundsOn, test_devices(), device_name);

}  // namespace
}  // namespace muster::trainer
