#include "verify/screen.h"

#include <gtest/gtest.h>

#include <algorithm>

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
  for (std::size_t i = 0; i < count; ++i)
    update.values.push_back(random.chance(0.5) ? 1.0f : -1.0f);
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

class ScreenTest : public ::testing::Test {
 protected:
  Prng random_{3};
  std::vector<SparseUpdate> updates_;
  std::vector<double> cosines_{0.5, 0.4, 0.6, 0.5};
  std::vector<std::uint64_t> weights_{65535, 65535, 65535, 65535};
  std::vector<double> fresh_norms_{1, 1.1, 0.9, 1};
  protocol::VerificationParams params_;
  Screening screening_;

  ScreenTest() {
    for (int i = 0; i < 4; ++i) updates_.push_back(random_update(random_));
  }
  std::map<Uid, Verdict> run(const SparseUpdate* last = nullptr) {
    std::vector<Candidate> candidates;
    for (std::uint16_t i = 0; i < 4; ++i)
      candidates.push_back({Uid{i}, &updates_[i], cosines_[i], weights_[i], fresh_norms_[i]});
    screening_ = screen(params_, candidates, last);
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

TEST_F(ScreenTest, TakesTheMedianCosineByWeight) {
  cosines_ = {0.5, 0.01, 0.01, 0.01};
  weights_ = {9, 1, 1, 1};
  const auto verdicts = run();
  EXPECT_EQ(verdicts.at(Uid{0}), Verdict::kAccept);
  EXPECT_EQ(verdicts.at(Uid{1}), Verdict::kLowCosine)
      << "three idle newcomers of four miners are no median";
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

// Whoever copies has no signal on its own data; whoever is copied must not lose by it.
TEST_F(ScreenTest, RejectsNobodyForResemblingAnotherMiner) {
  updates_[3] = updates_[0];
  for (const auto& [uid, verdict] : run()) EXPECT_EQ(verdict, Verdict::kAccept);
}

// A tiny model, or data that is all alike: nobody replays, everybody goes the way of the last
// aggregate.
TEST_F(ScreenTest, NeverRejectsPayloadsWithMostOfTheWeightForTheirResemblance) {
  const SparseUpdate last = updates_[0];
  updates_[2] = updates_[0];
  for (float& value : updates_[2].values) value = -value;
  updates_[1] = updates_[2];
  EXPECT_EQ(run(&last).at(Uid{1}), Verdict::kAccept)
      << "three of four are the aggregate or its opposite";
  EXPECT_EQ(screening_.alike, (std::vector<Uid>{Uid{0}, Uid{1}, Uid{2}}))
      << "and the validator says so";
}

TEST_F(ScreenTest, RejectsReplaysOfManyWhoHaveLittleWeight) {
  const SparseUpdate last = updates_[0];
  for (float& value : updates_[0].values) value = -value;
  updates_[3] = updates_[2] = updates_[0];
  weights_ = {10, 65535, 10, 10};
  const auto verdicts = run(&last);
  EXPECT_EQ(verdicts.at(Uid{0}), Verdict::kReplay) << "three heads of four, and next to no weight";
  EXPECT_EQ(verdicts.at(Uid{1}), Verdict::kAccept);
}

TEST_F(ScreenTest, RejectsAFreshPartThatIsMoreThanTwiceAsLargeAsTheMedian) {
  fresh_norms_[1] = 2.1;
  EXPECT_EQ(run().at(Uid{1}), Verdict::kFreshNorm);
  fresh_norms_[1] = 1.9;
  EXPECT_EQ(run().at(Uid{1}), Verdict::kAccept);
}

TEST_F(ScreenTest, RejectsAFreshPartThatIsLessThanHalfAsLargeAsTheMedian) {
  fresh_norms_[1] = 0.4;
  EXPECT_EQ(run().at(Uid{1}), Verdict::kFreshNorm);
  fresh_norms_[1] = 0.6;
  EXPECT_EQ(run().at(Uid{1}), Verdict::kAccept);
}

TEST_F(ScreenTest, TakesTheMedianOfFreshNormsByWeight) {
  fresh_norms_ = {1, 3, 3, 3};
  weights_ = {65535, 10, 10, 10};
  const auto verdicts = run();
  EXPECT_EQ(verdicts.at(Uid{0}), Verdict::kAccept);
  for (std::uint16_t i = 1; i < 4; ++i) EXPECT_EQ(verdicts.at(Uid{i}), Verdict::kFreshNorm);
}

TEST_F(ScreenTest, RejectsNeitherOfTwoHalvesForTheirFreshNorms) {
  fresh_norms_ = {1, 1, 3, 3};
  for (const auto& [uid, verdict] : run()) EXPECT_EQ(verdict, Verdict::kAccept);
}

TEST_F(ScreenTest, NeverRejectsPayloadsWithMostOfTheWeightForTheirFreshNorms) {
  fresh_norms_ = {0.1, 0.1, 1, 9};
  weights_ = {20000, 20000, 30000, 30000};
  for (const auto& [uid, verdict] : run()) EXPECT_EQ(verdict, Verdict::kAccept);
}

}  // namespace
}  // namespace muster::verify
