#include <atomic>
#include <functional>
#include <limits>

#include "base/file.h"
#include "tests/trainer/trainer_fixture.h"

namespace muster::trainer {
namespace {

constexpr auto kFormat = compression::two_part_format(512, compression::ValueFormat::kSign);

class InnerLoopTest : public TrainerTest {
 protected:
  std::unique_ptr<protocol::InnerLoop> make() { return make_inner_loop(config_, theta_).value(); }
  // One round as a miner runs it; returns what it sent.
  static compression::Payload round(protocol::InnerLoop& loop, std::uint64_t number) {
    const std::atomic<bool> never{false};
    MUSTER_CHECK(loop.train(task(number), never, [](std::uint32_t) {}).has_value(), "train");
    const auto payload = loop.encode(kFormat).value();
    loop.settle(protocol::Settlement::kDelivered);
    return payload;
  }
  void apply_own(protocol::InnerLoop& loop, const compression::Payload& payload) {
    const auto layout = state::layout_of(config_.model);
    ASSERT_TRUE(loop.apply(compression::decode(layout, payload).value()));
  }
};

TEST_F(InnerLoopTest, LowersTheLossOverRounds) {
  auto loop = make();
  const std::atomic<bool> never{false};
  const double first = loop->train(task(0), never, [](std::uint32_t) {})->mean_loss;
  for (std::uint64_t r = 0; r < 12; ++r) apply_own(*loop, round(*loop, r));
  const double last = loop->train(task(12), never, [](std::uint32_t) {})->mean_loss;
  EXPECT_LT(last, first - 0.5);
}

TEST_F(InnerLoopTest, IsBitIdenticalRunToRun) {
  auto a = make(), b = make();
  for (std::uint64_t r = 0; r < 3; ++r) {
    const auto from_a = round(*a, r), from_b = round(*b, r);
    EXPECT_EQ(from_a, from_b) << "round " << r;
    apply_own(*a, from_a);
    apply_own(*b, from_b);
  }
}

TEST_F(InnerLoopTest, GoesOnFromASavedStateAsIfNothingHadHappened) {
  auto original = make();
  apply_own(*original, round(*original, 0));
  ASSERT_TRUE(original->save(directory_ / "state", 1));
  auto restored = make();
  EXPECT_EQ(restored->load(directory_ / "state").value(), 1u);
  EXPECT_EQ(round(*restored, 1), round(*original, 1));
}

TEST_F(InnerLoopTest, ASavedPendingPayloadIsSettledAfterARestart) {
  const std::atomic<bool> never{false};
  auto original = make();
  ASSERT_TRUE(original->train(task(0), never, [](std::uint32_t) {}));
  ASSERT_TRUE(original->encode(kFormat));
  ASSERT_TRUE(original->save(directory_ / "state", 0));
  auto restored = make();
  ASSERT_TRUE(restored->load(directory_ / "state"));
  original->settle(protocol::Settlement::kDelivered);
  restored->settle(protocol::Settlement::kDelivered);
  EXPECT_EQ(round(*restored, 1), round(*original, 1));
}

// What is written at any point of a round is read back, and the miner goes on as if it had not been
// away.
TEST_F(InnerLoopTest, ReadsBackWhatItSavesAtEveryPointOfARound) {
  const std::atomic<bool> never{false};
  using Step = std::function<void(protocol::InnerLoop&)>;
  const Step train = [&](auto& loop) {
    ASSERT_TRUE(loop.train(task(0), never, [](std::uint32_t) {}));
  };
  const Step encode = [&](auto& loop) { ASSERT_TRUE(loop.encode(kFormat)); };
  const auto settle = [](protocol::Settlement settlement) -> Step {
    return [settlement](auto& loop) { loop.settle(settlement); };
  };
  for (const auto last : {protocol::Settlement::kDelivered, protocol::Settlement::kKept,
                          protocol::Settlement::kMissed}) {
    auto loop = make();
    for (const Step& step : {train, encode, settle(last), settle(protocol::Settlement::kMissed)}) {
      step(*loop);
      ASSERT_TRUE(loop->save(directory_ / "state", 7));
      auto restored = make();
      const auto tag = restored->load(directory_ / "state");
      ASSERT_TRUE(tag.has_value()) << tag.error().message;
      EXPECT_EQ(*tag, 7u);
      ASSERT_TRUE(restored->save(directory_ / "again", 7));
      EXPECT_EQ(read_file(directory_ / "again", 1u << 30).value(),
                read_file(directory_ / "state", 1u << 30).value());
    }
    auto restored = make();
    ASSERT_TRUE(restored->load(directory_ / "state"));
    EXPECT_EQ(round(*restored, 1), round(*loop, 1));
  }
}

TEST_F(InnerLoopTest, KeepsWhatWasNotDelivered) {
  auto delivered = make(), kept = make();
  const std::atomic<bool> never{false};
  for (auto* loop : {delivered.get(), kept.get()}) {
    ASSERT_TRUE(loop->train(task(0), never, [](std::uint32_t) {}));
    ASSERT_TRUE(loop->encode(kFormat));
  }
  delivered->settle(protocol::Settlement::kDelivered);
  kept->settle(protocol::Settlement::kKept);
  EXPECT_NE(round(*delivered, 1), round(*kept, 1));
}

TEST_F(InnerLoopTest, StopsWhenAskedTo) {
  auto loop = make();
  std::atomic<bool> stop{false};
  const auto result = loop->train(task(0), stop, [&](std::uint32_t step) { stop = step == 1; });
  EXPECT_EQ(result.error().code, Errc::kCancelled);
}

TEST_F(InnerLoopTest, RefusesADamagedOrForeignState) {
  auto loop = make();
  ASSERT_TRUE(loop->save(directory_ / "state", 1));
  Bytes file = read_file(directory_ / "state", 1u << 30).value();
  file[file.size() / 2] ^= 1;
  ASSERT_TRUE(replace_file(directory_ / "state", file));
  EXPECT_EQ(loop->load(directory_ / "state").error().code, Errc::kBadHash);
  file[8] = 77;
  ASSERT_TRUE(replace_file(directory_ / "state", file));
  EXPECT_EQ(loop->load(directory_ / "state").error().code, Errc::kVersion);
  ASSERT_TRUE(replace_file(directory_ / "state", bytes_of("hello")));
  EXPECT_EQ(loop->load(directory_ / "state").error().code, Errc::kMalformed);
}

TEST_F(InnerLoopTest, SendsNothingFromARoundWithoutAFiniteStep) {
  theta_[3] = std::numeric_limits<float>::quiet_NaN();
  auto loop = make();
  const std::atomic<bool> never{false};
  const auto result = loop->train(task(0), never, [](std::uint32_t) {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::kNonFinite);
}

TEST_F(InnerLoopTest, RefusesTheStateOfAnotherOptimizer) {
  ASSERT_TRUE(make()->save(directory_ / "state", 1));
  config_.optimizer.kind = OptimizerKind::kMuon;
  const auto result = make()->load(directory_ / "state");
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("another optimizer"), std::string::npos)
      << result.error().message;
}

TEST_F(InnerLoopTest, GivesTheSamePayloadOnAnyNumberOfThreads) {
  auto one = make();
  config_.threads = 3;
  auto three = make();
  EXPECT_EQ(round(*three, 0), round(*one, 0));
}

TEST_F(InnerLoopTest, NamesASequenceThatTheDataDoesNotHave) {
  auto loop = make();
  auto bad = task(0);
  bad.sequences[3] = 1'000'000;
  const std::atomic<bool> never{false};
  const auto result = loop->train(bad, never, [](std::uint32_t) {});
  EXPECT_EQ(result.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
