#include "trainer/ranks/rank_group.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>

#include "tests/trainer/trainer_fixture.h"
#include "trainer/ranks/gloo_collective.h"
#include "trainer/ranks/rank_server.h"
#include "trainer/rounds/inner_loop.h"
#include "trainer/rounds/round_engine.h"

namespace muster::trainer {
namespace {

constexpr auto kFormat = compression::two_part_format(512, compression::ValueFormat::kSign);

// A rank as a fork of the test.
class ForkedRank final : public RankProcess {
 public:
  explicit ForkedRank(pid_t pid) : pid_(pid) {}
  ~ForkedRank() override {
    if (ended()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::optional<std::string> ended() override {
    int status = 0;
    if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
      ended_ = WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                                   : "ended with code " + std::to_string(WEXITSTATUS(status));
    return ended_;
  }
  int pid() const override { return pid_; }

 private:
  pid_t pid_;
  std::optional<std::string> ended_;
};

class RankGroupTest : public TrainerTest {
 protected:
  compression::Layout layout_ = state::layout_of(config_.model);
  std::vector<int> pids_;  // of the ranks that were started last
  std::vector<std::string> notes_;
  std::string cannot_start_;  // what rank 1 says instead of being ready
  protocol::InnerLoop* loop_ = nullptr;
  const Clock* clock_ = nullptr;
  Silence::Bounds steps_ = Silence::kSteps;

  Result<std::unique_ptr<protocol::InnerLoop>> make(unsigned size) {
    auto theta = SharedFloats::make(layout_.parameters()).value();
    std::ranges::copy(theta_, theta.values().begin());
    MUSTER_TRY(auto group,
               RankGroup::make({.size = size,
                                .folder = directory_ / "ranks",
                                .optimizer = optimizer_arrays(config_.optimizer.kind, layout_),
                                .start = [this, view = theta.values()](
                                             const RankSeat& seat) { return start(seat, view); },
                                .note = [this](const std::string& text) { notes_.push_back(text); },
                                .clock = clock_,
                                .steps = steps_}));
    return std::unique_ptr<protocol::InnerLoop>(std::make_unique<LlamaInnerLoop>(
        layout_, config_.outer_learning_rate, std::move(theta), std::move(group)));
  }

  Result<std::unique_ptr<RankProcess>> start(const RankSeat& seat, std::span<const float> theta) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(be_rank(seat, theta));
    if (seat.rank == 0) pids_.clear();
    pids_.push_back(pid);
    return std::unique_ptr<RankProcess>(std::make_unique<ForkedRank>(pid));
  }

  int be_rank(const RankSeat& seat, std::span<const float> theta) {
    RankChannel channel(FileHandle(::dup(seat.channel)));
    ::close(seat.channel);  // as a process of its own would not have it twice
    if (!cannot_start_.empty() && seat.rank == 1)
      return announce(channel, Error{Errc::kTooLarge, cannot_start_}) ? 1 : 2;
    auto collective = join_gloo({seat.meeting}, seat.rank, seat.size).value();
    auto data =
        DataSet::open(config_.train_data, config_.model.context, config_.model.vocab, kTrainSplit)
            .value();
    auto share = RoundShare::make(
        config_, std::move(data), theta,
        [&] { return make_round_engine(config_, collective.get()); }, collective.get());
    if (!announce(channel, Status())) return 2;
    return serve_rank(channel, **share, layout_) ? 0 : 3;
  }

  static Result<protocol::TrainReport> train(
      protocol::InnerLoop& loop, std::uint64_t round,
      const std::function<void(std::uint32_t)>& progress = [](std::uint32_t) {}) {
    const std::atomic<bool> never{false};
    return loop.train(task(round), never, progress);
  }
  static compression::Payload round(protocol::InnerLoop& loop, std::uint64_t number) {
    const auto report = train(loop, number);
    MUSTER_CHECK(report.has_value(), report ? "" : report.error().message);
    auto payload = loop.encode(kFormat).value();
    loop.settle(protocol::Settlement::kDelivered);
    return payload;
  }
};

TEST_F(RankGroupTest, TrainsAsOneProcessDoes) {
  auto alone = make_inner_loop(config_, theta_).value();
  auto group = make(2).value();
  for (std::uint64_t r = 0; r < 4; ++r) {
    const auto expected = train(*alone, r), report = train(*group, r);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_NEAR(report->mean_loss, expected->mean_loss, 1e-4) << "round " << r;
    EXPECT_EQ(report->sequences_used, expected->sequences_used);
    EXPECT_EQ(report->inner_steps, expected->inner_steps);
    for (auto* loop : {alone.get(), group.get()}) {
      const auto payload = loop->encode(kFormat).value();
      EXPECT_EQ(payload.segments.size(), layout_.segment_count());
      loop->settle(protocol::Settlement::kDelivered);
      ASSERT_TRUE(loop->apply(compression::decode(layout_, payload).value()));
    }
  }
}

TEST_F(RankGroupTest, ReportsEveryStepOnce) {
  auto group = make(2).value();
  std::vector<std::uint32_t> steps;
  ASSERT_TRUE(train(*group, 0, [&](std::uint32_t step) { steps.push_back(step); }));
  std::vector<std::uint32_t> expected(task(0).inner_steps);
  std::iota(expected.begin(), expected.end(), 0u);
  EXPECT_EQ(steps, expected);
}

TEST_F(RankGroupTest, StopsWhenAskedToAndGoesOnAfterwards) {
  auto group = make(2).value();
  std::atomic<bool> stop{false};
  auto endless = task(0);
  endless.inner_steps = 400;
  const auto few = endless.sequences;
  while (endless.sequences.size() < 800)
    endless.sequences.insert(endless.sequences.end(), few.begin(), few.end());
  endless.sequences.resize(800);
  const auto stopped = group->train(endless, stop, [&](std::uint32_t step) { stop = step == 1; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::kCancelled);
  EXPECT_TRUE(train(*group, 1));
}

TEST_F(RankGroupTest, ARankThatIsKilledCostsTheRoundAndNothingElse) {
  auto undisturbed = make(2).value();
  auto disturbed = make(2).value();
  const std::vector<int> pids = pids_;
  for (auto* loop : {undisturbed.get(), disturbed.get()}) {
    (void)round(*loop, 0);
    ASSERT_TRUE(loop->save(directory_ / ("state-" + std::to_string(loop == disturbed.get())), 0));
  }
  const auto lost = train(*disturbed, 1, [&](std::uint32_t step) {
    if (step == 0) ::kill(pids[1], SIGKILL);
  });
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("rank 1 of 2 (process " + std::to_string(pids[1]) +
                                      ") was killed by signal 9"),
            std::string::npos)
      << lost.error().message;
  for (auto* loop : {undisturbed.get(), disturbed.get()})
    loop->settle(protocol::Settlement::kMissed);
  EXPECT_NE(pids_, pids) << "new ranks were started";
  EXPECT_EQ(round(*disturbed, 2), round(*undisturbed, 2))
      << "but for the lost round they are where the others are";
}

// A second passes with every look.
class FastClock final : public Clock {
 public:
  TimeMs now_ms() const override { return now_ += 1000; }

 private:
  mutable TimeMs now_ = 0;
};

TEST_F(RankGroupTest, ARankThatIsStoppedIsNamedAndStartedAnew) {
  const FastClock clock;
  clock_ = &clock;
  steps_ = {5'000, 30};
  auto group = make(2).value();
  (void)round(*group, 0);
  ASSERT_TRUE(group->save(directory_ / "state", 0));
  const std::vector<int> pids = pids_;
  const auto lost = train(*group, 1, [&](std::uint32_t step) {
    if (step == 0) ::kill(pids[1], SIGSTOP);
  });
  ASSERT_FALSE(lost);
  EXPECT_NE(
      lost.error().message.find("rank 1 of 2 (process " + std::to_string(pids[1]) + ") is stopped"),
      std::string::npos)
      << lost.error().message;
  group->settle(protocol::Settlement::kMissed);
  EXPECT_NE(pids_, pids) << "new ranks were started";
  EXPECT_TRUE(train(*group, 2));
}

TEST_F(RankGroupTest, ARankThatDiesBetweenRoundsCostsNothing) {
  auto undisturbed = make(2).value();
  auto disturbed = make(2).value();
  for (auto* loop : {undisturbed.get(), disturbed.get()}) {
    ASSERT_TRUE(train(*loop, 0));
    ASSERT_TRUE(loop->encode(kFormat));
    ASSERT_TRUE(loop->save(directory_ / ("state-" + std::to_string(loop == disturbed.get())), 0));
  }
  ::kill(pids_[0], SIGKILL);
  ::waitid(P_PID, static_cast<id_t>(pids_[0]), nullptr, WEXITED | WNOWAIT);
  for (auto* loop : {undisturbed.get(), disturbed.get()})
    loop->settle(protocol::Settlement::kDelivered);
  EXPECT_EQ(round(*disturbed, 1), round(*undisturbed, 1));
  EXPECT_TRUE(std::ranges::any_of(notes_, [](const std::string& note) {
    return note.find("rank 0 of 2") != std::string::npos &&
           note.find("killed by signal 9") != std::string::npos;
  }));
}

TEST_F(RankGroupTest, ASavedStateIsThatOfOneProcess) {
  auto group = make(3).value();
  (void)round(*group, 0);
  ASSERT_TRUE(group->save(directory_ / "state", 7));
  auto alone = make_inner_loop(config_, theta_).value();
  EXPECT_EQ(alone->load(directory_ / "state").value(), 7u);
  auto two = make(2).value();
  EXPECT_EQ(two->load(directory_ / "state").value(), 7u);
  EXPECT_NEAR(train(*two, 1)->mean_loss, train(*alone, 1)->mean_loss, 1e-4);
}

TEST_F(RankGroupTest, SaysWhyARankCannotStart) {
  cannot_start_ = "its card has too little memory";
  const auto group = make(2);
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Errc::kTooLarge);
  EXPECT_NE(group.error().message.find("rank 1 of 2"), std::string::npos) << group.error().message;
  EXPECT_NE(group.error().message.find("its card has too little memory"), std::string::npos)
      << group.error().message;
}

TEST_F(RankGroupTest, PassesOnWhatEveryRankRefuses) {
  auto group = make(2).value();
  auto bad = task(0);
  bad.sequences.back() = 1'000'000;
  const std::atomic<bool> never{false};
  const auto refused = group->train(bad, never, [](std::uint32_t) {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNotFound) << refused.error().message;
  const std::vector<int> pids = pids_;
  EXPECT_TRUE(train(*group, 1));
  EXPECT_EQ(pids_, pids) << "they went on";
}

}  // namespace
}  // namespace muster::trainer
