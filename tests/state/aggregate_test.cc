#include "state/aggregate.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::state {
namespace {

using compression::Layout;
using compression::Payload;
using compression::PayloadFormat;
using compression::SparseUpdate;
using compression::ValueFormat;

const PayloadFormat kDense{4096, ValueFormat::kSignMagnitude};

// A payload of exactly these values.
Payload payload_of(const std::vector<float>& values) {
  const Layout layout = Layout::make({{"a", {values.size()}}}).value();
  return compression::compress(layout, {4096, ValueFormat::kFloat32}, values).value();
}

Contribution contribution(const Layout& layout, std::uint16_t standing, const Payload& payload) {
  return {standing, &payload, compression::summarise(layout, payload).value().norm};
}

TEST(Aggregate, ClipsToTheLowerMedianOfTheNorms) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const Payload small = payload_of({1}), middle = payload_of({2}), huge = payload_of({1000});
  std::vector<float> residual(1, 0.0f);
  const std::vector<Contribution> contributions{contribution(layout, 1, small),
                                                contribution(layout, 1, middle),
                                                contribution(layout, 1, huge)};
  const auto sealed = seal_aggregate(layout, contributions, {}, kDense, 1.0f, residual).value();
  EXPECT_EQ(sealed.median_norm, 2);
  EXPECT_EQ(sealed.clip_norm, 2);
  EXPECT_FLOAT_EQ(sealed.weights[2] * 1000, 2.0f / 3);
}

TEST(Aggregate, ClipNormNeverFallsBelowHalfTheTrailingMedian) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const Payload tiny = payload_of({0.01f});
  std::vector<float> residual(1, 0.0f);
  const std::vector<Contribution> contributions{contribution(layout, 1, tiny)};
  const std::vector<double> past{8, 10, 12};
  const auto sealed = seal_aggregate(layout, contributions, past, kDense, 1.0f, residual).value();
  EXPECT_EQ(sealed.clip_norm, 5);
}

TEST(Aggregate, ClipNormNeverRisesAboveTwiceTheTrailingMedian) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const Payload huge = payload_of({100});
  const std::vector<Contribution> contributions{contribution(layout, 1, huge)};
  const std::vector<double> past{8, 10, 12};
  const auto clipped = clip_and_weigh(contributions, past).value();
  EXPECT_EQ(clipped.clip_norm, 20);
  EXPECT_EQ(clipped.median_norm, 100) << "what is remembered, so that it follows a lasting change";
}

TEST(Aggregate, TakesTheMedianOfTheNormsByWeight) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const Payload small = payload_of({1}), huge = payload_of({1000});
  std::vector<Contribution> contributions{
      contribution(layout, 1, small), contribution(layout, 1, huge), contribution(layout, 1, huge)};
  contributions[0].weight = 9;
  EXPECT_EQ(clip_and_weigh(contributions, {}).value().median_norm, 1);
}

TEST(Aggregate, WeighsByStandingAndEquallyWhenAllAreZero) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const Payload one = payload_of({1});
  std::vector<float> residual(1, 0.0f);
  const std::vector<Contribution> uneven{contribution(layout, 100, one),
                                         contribution(layout, 300, one)};
  const auto by_standing = seal_aggregate(layout, uneven, {}, kDense, 1.0f, residual).value();
  EXPECT_EQ(by_standing.weights, (std::vector<float>{0.25f, 0.75f}));
  const std::vector<Contribution> none{contribution(layout, 0, one), contribution(layout, 0, one)};
  const auto equal = seal_aggregate(layout, none, {}, kDense, 1.0f, residual).value();
  EXPECT_EQ(equal.weights, (std::vector<float>{0.5f, 0.5f}));
}

TEST(Aggregate, LeavesInTheResidualWhatTheDownlinkDidNotCarry) {
  const Layout layout = Layout::make({{"a", {8}}}).value();
  const Payload update = payload_of({8, 7, 6, 5, 4, 3, 2, 1});
  std::vector<float> residual(8, 0.0f);
  const std::vector<Contribution> contributions{contribution(layout, 1, update)};
  const auto sealed =
      seal_aggregate(layout, contributions, {}, {1024, ValueFormat::kSign}, 1.0f, residual).value();
  const SparseUpdate decoded = compression::decode(layout, sealed.aggregate).value();
  ASSERT_EQ(decoded.indices.size(), 2u);
  EXPECT_EQ(residual[0], 8 - decoded.values[0]);
  EXPECT_EQ(residual[7], 1) << "not sent";
}

// The same sums written the plainest way, in the order that docs/protocol.md fixes.
TEST(Aggregate, IsBitEqualToTheNaiveSum) {
  const Layout layout = Layout::make({{"a", {5000}}}).value();
  Prng random(11);
  std::vector<Payload> payloads;
  std::vector<SparseUpdate> updates;
  for (int miner = 0; miner < 5; ++miner) {
    std::vector<float> dense(5000);
    for (float& x : dense) x = static_cast<float>(random.uniform() - 0.5);
    payloads.push_back(compression::compress(layout, {256, ValueFormat::kSign}, dense).value());
    updates.push_back(compression::decode(layout, payloads.back()).value());
  }
  std::vector<Contribution> contributions;
  for (const auto& payload : payloads) contributions.push_back(contribution(layout, 1000, payload));
  std::vector<float> residual(5000);
  for (float& x : residual) x = static_cast<float>(random.uniform() * 1e-3);
  std::vector<float> expected = residual;
  const auto sealed = seal_aggregate(layout, contributions, {}, kDense, 0.5f, residual).value();
  for (std::size_t c = 0; c < updates.size(); ++c) {
    for (std::size_t i = 0; i < updates[c].indices.size(); ++i) {
      const float product = sealed.weights[c] * updates[c].values[i];
      expected[updates[c].indices[i]] = expected[updates[c].indices[i]] + product;
    }
  }
  const SparseUpdate decoded = compression::decode(layout, sealed.aggregate).value();
  for (std::size_t i = 0; i < decoded.indices.size(); ++i)
    expected[decoded.indices[i]] -= decoded.values[i];
  for (float& x : expected) x *= 0.5f;
  EXPECT_EQ(residual, expected);
}

TEST(Aggregate, IsTheSameOnAnyNumberOfThreads) {
  const Layout layout = Layout::make({{"a", {2100, 4096}}}).value();
  Prng random(12);
  std::vector<Payload> payloads;
  std::vector<float> values(layout.parameters());
  for (int miner = 0; miner < 3; ++miner) {
    for (float& x : values) x = static_cast<float>(random.uniform() - 0.5);
    payloads.push_back(compression::compress(layout, {64, ValueFormat::kSign}, values).value());
  }
  std::vector<Contribution> contributions;
  for (const auto& payload : payloads) contributions.push_back(contribution(layout, 7, payload));
  std::vector<float> one(values.size(), 0.0f), three(values.size(), 0.0f);
  const PayloadFormat downlink{256, ValueFormat::kSignMagnitude};
  const auto a = seal_aggregate(layout, contributions, {}, downlink, 0.9f, one, 1).value();
  const auto b = seal_aggregate(layout, contributions, {}, downlink, 0.9f, three, 3).value();
  EXPECT_EQ(a.aggregate, b.aggregate);
  EXPECT_EQ(one, three);
}

TEST(Aggregate, TakesEachPayloadAsTheSumOfItsParts) {
  const Layout layout = Layout::make({{"a", {3, 4096}}, {"b", {77}}}).value();
  Prng random(12);
  std::vector<float> values(layout.parameters());
  for (float& x : values) x = static_cast<float>(random.uniform() - 0.5);
  const Payload payload =
      compression::compress(layout, compression::two_part_format(2048, ValueFormat::kSign), values)
          .value();
  std::vector<float> residual(layout.parameters(), 0.0f), expected = residual;
  const std::vector<Contribution> contributions{contribution(layout, 1, payload)};
  const auto sealed = seal_aggregate(layout, contributions, {}, kDense, 1.0f, residual).value();
  const SparseUpdate whole = compression::decode(layout, payload).value();
  for (std::size_t i = 0; i < whole.indices.size(); ++i)
    expected[whole.indices[i]] = whole.values[i];
  EXPECT_EQ(sealed.aggregate, compression::compress(layout, kDense, expected).value());
}

TEST(Aggregate, RefusesNormsThatCouldOverflowAndLeavesTheResidual) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const Payload huge = payload_of({3e38f});
  std::vector<float> residual(1, 0.5f);
  const std::vector<Contribution> contributions{contribution(layout, 1, huge)};
  EXPECT_EQ(seal_aggregate(layout, contributions, {}, kDense, 1.0f, residual).error().code,
            Errc::kNonFinite);
  EXPECT_EQ(residual[0], 0.5f);
}

}  // namespace
}  // namespace muster::state
