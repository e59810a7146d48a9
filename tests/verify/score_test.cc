#include "verify/score.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "base/prng.h"

namespace muster::verify {
namespace {

TEST(RankScore, MatchesAHandComputedExample) {
  // Ranks of {2.5, 4} among {1, 2, 3}: 2 and 3, so u = 2.5/4 and 3.5/4; the expected value is 1.1
  // ln 1.1 − 0.1 ln 0.1 − 1.
  const double own[] = {2.5, 4}, reference[] = {3, 1, 2};
  const double expected = 1.1 * std::log(1.1) - 0.1 * std::log(0.1) - 1;
  EXPECT_NEAR(rank_score(own, reference), (std::log(0.725) + std::log(0.975)) / 2 - expected,
              1e-12);
}

TEST(RankScore, TakesTheMiddleOfRanksForTies) {
  const double own[] = {2}, reference[] = {1, 2, 2, 3};
  const double between[] = {1.5}, also_between[] = {2.5};
  EXPECT_GT(rank_score(own, reference), rank_score(between, reference));
  EXPECT_LT(rank_score(own, reference), rank_score(also_between, reference));
}

TEST(RankScore, IsNothingForNothingAndWhereNothingDiffers) {
  const double some[] = {1, 2}, same[] = {1, 1};
  EXPECT_EQ(rank_score({}, some), 0);
  EXPECT_EQ(rank_score(some, {}), 0);
  EXPECT_EQ(rank_score(some, same), 0);
}

TEST(RankScore, IsNothingOnAverageForTheSameAndThreeQuartersAtMost) {
  Prng random(2);
  double sum = 0;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<double> own(32), reference(64);
    for (auto* group : {&own, &reference})
      for (double& x : *group) x = random.uniform();
    sum += rank_score(own, reference);
  }
  EXPECT_NEAR(sum / 400, 0, 0.02);
  const double above[] = {5, 6}, low[] = {1, 2, 3, 4};
  EXPECT_LT(rank_score(above, low), 0.76);
}

// Doing well on half of the sequences and not at all on the others is worth less than half.
TEST(RankScore, IsConcave) {
  std::vector<double> reference;
  for (int i = 0; i < 64; ++i) reference.push_back(i);
  const std::vector<double> all(32, 100), none(32, 32);
  std::vector<double> half(16, 100);
  half.insert(half.end(), 16, -1);
  EXPECT_LT(rank_score(half, reference), rank_score(none, reference));
  EXPECT_GT(rank_score(all, reference), 0.7);
}

TEST(Windows, LieInEachHalfOfThePositionsAnEighthLong) {
  const Hash seed = sha256(bytes_of("seed"));
  for (const std::uint32_t context : {2u, 7u, 8u, 64u, 1000u}) {
    const std::uint32_t length = std::max(1u, context / 8);
    std::set<std::uint32_t> starts;
    for (std::uint64_t sequence = 0; sequence < 50; ++sequence) {
      const auto windows = windows_of(seed, sequence, context);
      EXPECT_EQ(windows, windows_of(seed, sequence, context));
      for (const auto& window : windows) {
        EXPECT_EQ(window.sequence, sequence);
        EXPECT_EQ(window.end - window.first, length);
        starts.insert(window.first);
      }
      EXPECT_LE(windows[0].end, context / 2);
      EXPECT_GE(windows[1].first, context / 2);
      EXPECT_LE(windows[1].end, context);
    }
    if (context >= 64) {
      EXPECT_GT(starts.size(), 30u);
    }
  }
}

TEST(Windows, FollowFromTheSeed) {
  EXPECT_NE(windows_of(sha256(bytes_of("a")), 1, 1000), windows_of(sha256(bytes_of("b")), 1, 1000));
}

constexpr std::uint32_t kContext = 64;

// Products of a payload whose miner trained, or did not, on each of two tensor groups and quarters
// of the positions.
class ScorePartsTest : public ::testing::Test {
 protected:
  using Trained = std::function<bool(std::size_t group, const protocol::Window&)>;

  WindowProducts products(std::uint64_t first, std::size_t sequences, const Trained& trained) {
    WindowProducts products{2, {}, {}, {}};
    for (std::uint64_t sequence = first; sequence < first + sequences; ++sequence) {
      for (const auto& window : windows_of(seed_, sequence, kContext)) {
        products.windows.push_back(window);
        for (std::size_t group = 0; group < 2; ++group) {
          const double control = random_.uniform(), size = group == 0 ? 1 : 100;
          products.control.push_back(control);
          products.fresh.push_back(size * (2 * control + 0.1 * random_.uniform() +
                                           (trained(group, window) ? 0.2 : 0.0)));
        }
      }
    }
    return products;
  }
  ScoreParts score(const Trained& trained) {
    const auto nothing = [](std::size_t, const protocol::Window&) { return false; };
    return score_parts(products(0, 64, trained), products(1000, 128, nothing), kContext);
  }
  Hash seed_ = sha256(bytes_of("windows"));
  Prng random_{9};
};

TEST_F(ScorePartsTest, AreHighWhereAllWasTrained) {
  const ScoreParts parts = score([](std::size_t, const protocol::Window&) { return true; });
  EXPECT_GT(parts.all, 0.7);
  for (const double quarter : parts.quarters) EXPECT_GT(quarter, 0.7);
  ASSERT_EQ(parts.groups.size(), 2u);
  for (const double group : parts.groups) EXPECT_GT(group, 0.7);
}

// A replay: what it does to a sequence is what the aggregate does to it, and noise.
TEST_F(ScorePartsTest, AreNothingForWhatTheAggregateExplains) {
  const ScoreParts parts = score([](std::size_t, const protocol::Window&) { return false; });
  EXPECT_NEAR(parts.all, 0, 0.3);
  for (const double quarter : parts.quarters) EXPECT_NEAR(quarter, 0, 0.5);
  for (const double group : parts.groups) EXPECT_NEAR(group, 0, 0.3);
}

TEST_F(ScorePartsTest, ShowTheTensorGroupThatWasNotTrained) {
  const ScoreParts parts =
      score([](std::size_t group, const protocol::Window&) { return group == 0; });
  EXPECT_GT(parts.groups[0], 0.7);
  EXPECT_LT(parts.groups[1], 0.3);
  EXPECT_GT(parts.all, 0.4) << "the whole hardly shows it";
}

TEST_F(ScorePartsTest, ShowTheQuarterThatWasNotTrained) {
  const ScoreParts parts = score([](std::size_t, const protocol::Window& window) {
    return window.first + window.end < 3 * kContext / 2;
  });
  for (std::size_t quarter = 0; quarter < 3; ++quarter)
    EXPECT_GT(parts.quarters[quarter], 0.5) << quarter;
  EXPECT_LT(parts.quarters[3], 0.4);
}

TEST_F(ScorePartsTest, OfAGroupThatThePayloadLacksAreNothing) {
  const auto nothing = [](std::size_t, const protocol::Window&) { return false; };
  WindowProducts own = products(0, 32, nothing), shared = products(1000, 64, nothing);
  for (auto* products : {&own, &shared})
    for (std::size_t i = 1; i < products->fresh.size(); i += 2) products->fresh[i] = 0;
  for (auto* products : {&own, &shared})
    for (std::size_t i = 1; i < products->control.size(); i += 2) products->control[i] = 0;
  EXPECT_EQ(score_parts(own, shared, kContext).groups[1], 0);
}

// Parameter 0 helps even sequences, parameter 1 all of them; each is a tensor group.
class TwoValuesProbe final : public protocol::LossProbe {
 public:
  Status compute_gradient(std::span<const std::uint64_t>) override { return {}; }
  Result<double> gradient_cosine(const compression::SparseUpdate&) override { return 0.0; }
  Result<std::vector<float>> losses(protocol::ProbePoint, const compression::SparseUpdate* update,
                                    float scale,
                                    std::span<const std::uint64_t> sequences) override {
    std::vector<float> losses;
    for (const std::uint64_t sequence : sequences) {
      losses.push_back(4);
      if (update != nullptr)
        losses.back() -=
            scale * (update->values[1] + (sequence % 2 == 0 ? update->values[0] : 0.0f));
    }
    return losses;
  }
  Result<std::vector<double>> products(
      std::span<const protocol::Window> windows,
      std::span<const compression::SparseUpdate* const> updates) override {
    if (on_products) on_products();
    std::vector<double> products;
    for (const auto& window : windows) {
      for (const auto* update : updates) {
        const double own = window.sequence % 2 == 0 ? 1 : 0,
                     noise = 0.001 * static_cast<double>(window.sequence % 7);
        products.push_back(static_cast<double>(update->values[0]) * (own + noise));
        products.push_back(static_cast<double>(update->values[1]) * (1 + noise));
      }
    }
    return products;
  }
  Result<double> held_out_loss() override { return 0.0; }
  Status apply(const compression::SparseUpdate&) override { return {}; }
  std::span<const float> parameters() const override { return {}; }
  Status set_parameters(std::span<const float>) override { return {}; }
  std::string platform_class() const override { return "two values"; }

  std::function<void()> on_products;
};

compression::SparseUpdate update_of(float first, float second) {
  return {{0, 1}, {first, second}, {2}};
}

class ScoreTest : public ::testing::Test {
 protected:
  Measurement measure(compression::SparseUpdate whole, compression::SparseUpdate fresh,
                      float weight = 0) {
    ScoreTask task{.round = Round{1},
                   .probe_step = 0.5f,
                   .shared_sequences = {1, 3, 5, 7, 9, 11},
                   .items = {},
                   .context = kContext,
                   .window_seed = {},
                   .aggregate = std::make_shared<const compression::SparseUpdate>(aggregate_)};
    task.items.push_back({Uid{0},
                          std::make_shared<const compression::DecodedPayload>(
                              compression::DecodedPayload{std::move(whole), std::move(fresh)}),
                          {0, 2, 4, 6, 8, 10},
                          weight});
    const std::atomic<bool> never{false};
    return score(probe_, task, never).value().front();
  }
  // Of two miners, with this many shared and own sequences.
  ScoreTask long_task(std::uint64_t sequences) {
    ScoreTask task{.round = Round{1},
                   .probe_step = 0.5f,
                   .shared_sequences = {},
                   .items = {},
                   .context = kContext,
                   .window_seed = {},
                   .aggregate = std::make_shared<const compression::SparseUpdate>(aggregate_)};
    std::vector<std::uint64_t> own;
    for (std::uint64_t i = 0; i < sequences; ++i) {
      task.shared_sequences.push_back(2 * i + 1);
      own.push_back(2 * i);
    }
    const auto payload = std::make_shared<const compression::DecodedPayload>(
        compression::DecodedPayload{update_of(1, 0), update_of(1, 0)});
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1})
      task.items.push_back({Uid{uid}, payload, own, 0});
    return task;
  }
  compression::SparseUpdate aggregate_ = update_of(0, 1);
  TwoValuesProbe probe_;
};

TEST_F(ScoreTest, MeasuresTheFreshPartAlone) {
  EXPECT_GT(measure(update_of(0, 0), update_of(1, 0)).score.all, 0.5);
  EXPECT_LT(measure(update_of(1, 0), update_of(0, 0)).score.all, 0.1);
  EXPECT_EQ(measure(update_of(5, 3), update_of(1, 0)).score.groups,
            measure(update_of(1, 0), update_of(1, 0)).score.groups);
}

TEST_F(ScoreTest, MeasuresTheDropOfTheWholePayload) {
  EXPECT_GT(measure(update_of(0, 1), update_of(0, 0)).relative_drop, 0.1);
  EXPECT_EQ(measure(update_of(0, 0), update_of(0, 1)).relative_drop, 0);
}

// What the aggregate has of the payload itself is no reason to take it for everybody's.
TEST_F(ScoreTest, TakesOutWhatTheAggregateDoesWithoutThePayload) {
  aggregate_ = update_of(0.25f, 1);
  EXPECT_GT(measure(update_of(1, 0), update_of(1, 0), 0.25f).score.all, 0.5);
}

TEST_F(ScoreTest, EndsWhenToldTo) {
  const ScoreTask task{.round = Round{1},
                       .probe_step = 0.5f,
                       .shared_sequences = {1, 3},
                       .items = {{}},
                       .context = kContext,
                       .window_seed = {},
                       .aggregate = nullptr};
  const std::atomic<bool> stop{true};
  EXPECT_TRUE(score(probe_, task, stop).value().empty());
}

// Gradients of all windows of a large model take long: a validator that is out of time must not
// miss its Screen.
TEST_F(ScoreTest, EndsWithinAFewWindowsAndKeepsWhoIsMeasured) {
  const ScoreTask task = long_task(40);
  std::atomic<bool> stop{false};
  int calls = 0;
  const auto measured_until = [&](int last_call) {
    stop = false;
    calls = 0;
    probe_.on_products = [&, last_call] { stop = ++calls >= last_call; };
    return score(probe_, task, stop).value().size();
  };
  ASSERT_EQ(measured_until(1000), 2u);
  const int all = calls;
  EXPECT_EQ(all % 3, 0) << "as many for the shared sequences as for each miner's own";
  EXPECT_EQ(measured_until(2), 0u);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(measured_until(all - 1), 1u);
  EXPECT_EQ(calls, all - 1);
}

TEST_F(ScoreTest, LooksOnceAtTheSequencesOfPayloadsInOnePlace) {
  ScoreTask task = long_task(40);
  const std::atomic<bool> never{false};
  int calls = 0;
  probe_.on_products = [&] { ++calls; };
  const auto apart = score(probe_, task, never).value();
  const int of_two_places = std::exchange(calls, 0);
  task.items[1].uid = task.items[0].uid;
  const auto together = score(probe_, task, never).value();
  EXPECT_EQ(calls * 3, of_two_places * 2);
  EXPECT_EQ(together.at(1).score.groups, apart.at(1).score.groups);
  EXPECT_EQ(together[1].score.all, apart[1].score.all);
}

}  // namespace
}  // namespace muster::verify
