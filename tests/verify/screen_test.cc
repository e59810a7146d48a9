#include "verify/screen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/prng.h"

namespace muster::verify {
namespace {

using compression::SparseUpdate;
using protocol::Verdict;

SparseUpdate random_update(Prng& random, std::size_t count = 256, std::size_t elements = 16384) {
  SparseUpdate update;
  auto drawn = sample_distinct(random, elements, count);
  std::sort(drawn.begin(), drawn.end());
  update.indices = drawn;
  for (std::size_t i = 0; i < count; ++i) update.values.push_back(random.chance(0.5) ? 1.0f : -1.0f);
  update.segment_ends = {count};
  return update;
}

TEST(Cosine, IsOneForTheSameAndZeroForDisjointUpdates) {
  Prng random(1);
  const SparseUpdate a = random_update(random);
  EXPECT_NEAR(cosine(a, a), 1, 1e-12);
  EXPECT_EQ(cosine(SparseUpdate{{1}, {1}, {1}}, SparseUpdate{{2}, {1}, {1}}), 0);
  EXPECT_EQ(cosine(a, SparseUpdate{{}, {}, {0}}), 0);
}

TEST(Overlap, IsAboutZeroByChanceAndOneForACopy) {
  Prng random(2);
  const SparseUpdate a = random_update(random), b = random_update(random);
  EXPECT_NEAR(overlap_beyond_chance(a, b, 64), 0, 0.05);
  EXPECT_NEAR(overlap_beyond_chance(a, a, 64), 1, 1e-12);
  EXPECT_EQ(overlap_beyond_chance(a, a, 4096), 0) << "dense updates always overlap";
}

class ScreenTest : public ::testing::Test {
 protected:
  Prng random_{3};
  std::vector<SparseUpdate> updates_;
  std::vector<double> cosines_{0.5, 0.4, 0.6, 0.5};
  std::vector<std::uint16_t> standings_{65535, 65535, 65535, 65535};
  protocol::VerificationParams params_;
  Screening screening_;

  ScreenTest() {
    for (int i = 0; i < 4; ++i) updates_.push_back(random_update(random_));
  }
  std::map<Uid, Verdict> run(const SparseUpdate* last = nullptr, std::uint32_t keep = 64,
                             std::vector<std::shared_ptr<const SparseUpdate>> previous = {}) {
    std::vector<Candidate> candidates;
    for (std::uint16_t i = 0; i < 4; ++i) candidates.push_back({Uid{i}, &updates_[i], cosines_[i], standings_[i]});
    screening_ = screen(params_, keep, candidates, previous, last);
    return screening_.verdicts;
  }
};

TEST_F(ScreenTest, AcceptsHonestPayloads) {
  for (const auto& [uid, verdict] : run()) EXPECT_EQ(verdict, Verdict::kAccept);
}

TEST_F(ScreenTest, RejectsACosineFarBelowTheMedian) {
  cosines_[2] = 0.01;
  EXPECT_EQ(run().at(Uid{2}), Verdict::kLowCosine);
}

TEST_F(ScreenTest, RejectsANegativeCosineEvenWhenAllAreNegative) {
  cosines_ = {-0.1, -0.2, -0.3, -0.1};
  for (const auto& [uid, verdict] : run()) EXPECT_EQ(verdict, Verdict::kLowCosine);
}

TEST_F(ScreenTest, RejectsTheOppositeOfTheLastAggregate) {
  SparseUpdate last = updates_[1];
  for (float& value : last.values) value = -value;
  EXPECT_EQ(run(&last).at(Uid{1}), Verdict::kReplay);
}

TEST_F(ScreenTest, IsNotMisledByARoundInWhichEverybodyGoesTheWayOfTheLastOne) {
  for (SparseUpdate& update : updates_) update = updates_[0];
  const SparseUpdate last = updates_[0];
  for (const auto& [uid, verdict] : run(&last)) EXPECT_NE(verdict, Verdict::kReplay);
}

TEST_F(ScreenTest, RejectsAReplayOfTheLastAggregate) {
  const SparseUpdate last = updates_[1];
  EXPECT_EQ(run(&last).at(Uid{1}), Verdict::kReplay);
  EXPECT_EQ(run(&last).at(Uid{0}), Verdict::kAccept);
}

TEST_F(ScreenTest, RejectsIdenticalPayloads) {
  updates_[3] = updates_[0];
  const auto verdicts = run();
  EXPECT_EQ(verdicts.at(Uid{0}), Verdict::kCopy);
  EXPECT_EQ(verdicts.at(Uid{3}), Verdict::kCopy);
  EXPECT_EQ(verdicts.at(Uid{1}), Verdict::kAccept);
}

// A tiny model, or data that is all alike: nobody copies, everybody resembles.
TEST_F(ScreenTest, NeverRejectsPayloadsWithMostOfTheStandingForTheirResemblance) {
  updates_[3] = updates_[2] = updates_[0];
  for (const auto& [uid, verdict] : run()) EXPECT_EQ(verdict, Verdict::kAccept);
}

TEST_F(ScreenTest, NotEvenBothRulesTogetherRejectMostOfTheStanding) {
  updates_[3] = updates_[2];
  const SparseUpdate last = updates_[0];
  EXPECT_EQ(run(&last).at(Uid{0}), Verdict::kAccept) << "one replays, two are copies: three of four";
  EXPECT_EQ(screening_.alike, (std::vector<Uid>{Uid{0}, Uid{2}, Uid{3}}));
}

// 18,528 parameters at a density of 256: what honest miners send has nearly the same indices.
TEST_F(ScreenTest, TheHonestMinersOfATinyModelAreNotCopies) {
  const state::ModelSpec model{.d_model = 32, .layers = 1, .heads = 2, .kv_heads = 2, .d_ff = 64, .context = 16,
                               .vocab = 256, .tied = true};
  const auto layout = state::layout_of(model);
  ASSERT_EQ(layout.parameters(), 18'528u);
  const compression::PayloadFormat format{.keep = 256};
  std::vector<float> common(layout.parameters());
  const auto drawn = [&] { return static_cast<float>(2 * random_.uniform() - 1); };
  for (float& value : common) value = std::pow(drawn(), 5.0f);
  for (SparseUpdate& update : updates_) {
    std::vector<float> own(common);
    for (float& value : own) value += 0.02f * drawn();
    update = compression::decode(layout, compression::compress(layout, format, own).value()).value();
  }
  ASSERT_GT(overlap_beyond_chance(updates_[0], updates_[1], 256), params_.overlap);
  for (const auto& [uid, verdict] : run(nullptr, 256)) EXPECT_EQ(verdict, Verdict::kAccept);
  EXPECT_EQ(screening_.alike.size(), 4u) << "and the validator says so";
}

TEST_F(ScreenTest, RejectsCopiesOfManyWhoHaveLittleStanding) {
  updates_[3] = updates_[2] = updates_[0];
  standings_ = {10, 65535, 10, 10};
  const auto verdicts = run();
  EXPECT_EQ(verdicts.at(Uid{0}), Verdict::kCopy) << "three heads of four, and next to no standing";
  EXPECT_EQ(verdicts.at(Uid{1}), Verdict::kAccept);
}

TEST_F(ScreenTest, RejectsACopyOfAnEarlierPayload) {
  EXPECT_EQ(run(nullptr, 64, {std::make_shared<const SparseUpdate>(updates_[2])}).at(Uid{2}),
            Verdict::kCopy);
}

TEST_F(ScreenTest, DoesNotJudgeOverlapAtDensitiesWhereHonestOnesOverlapToo) {
  updates_[3] = updates_[0];
  EXPECT_EQ(run(nullptr, 1024).at(Uid{0}), Verdict::kAccept);
}

}  // namespace
}  // namespace muster::verify
