#include "state/aggregate.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::state {
namespace {

using compression::Layout;
using compression::PayloadFormat;
using compression::SparseUpdate;
using compression::ValueFormat;

const PayloadFormat kDense{4096, ValueFormat::kSignMagnitude};

SparseUpdate update_of(const std::vector<float>& values) {
  SparseUpdate update;
  for (std::size_t i = 0; i < values.size(); ++i) {
    update.indices.push_back(i);
    update.values.push_back(values[i]);
  }
  update.segment_ends = {values.size()};
  return update;
}

Contribution contribution(std::uint16_t standing, const SparseUpdate& update) {
  return {standing, &update, compression::norm(update)};
}

TEST(Aggregate, ClipsToTheLowerMedianOfTheNorms) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const SparseUpdate small = update_of({1}), middle = update_of({2}), huge = update_of({1000});
  std::vector<float> residual(1, 0.0f);
  const std::vector<Contribution> contributions{contribution(1, small), contribution(1, middle),
                                                contribution(1, huge)};
  const auto sealed = seal_aggregate(layout, contributions, {}, kDense, 1.0f, residual).value();
  EXPECT_EQ(sealed.median_norm, 2);
  EXPECT_EQ(sealed.clip_norm, 2);
  EXPECT_FLOAT_EQ(sealed.weights[2] * 1000, 2.0f / 3);
}

TEST(Aggregate, ClipNormNeverFallsBelowHalfTheTrailingMedian) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const SparseUpdate tiny = update_of({0.01f});
  std::vector<float> residual(1, 0.0f);
  const std::vector<Contribution> contributions{contribution(1, tiny)};
  const std::vector<double> past{8, 10, 12};
  const auto sealed = seal_aggregate(layout, contributions, past, kDense, 1.0f, residual).value();
  EXPECT_EQ(sealed.clip_norm, 5);
}

TEST(Aggregate, WeighsByStandingAndEquallyWhenAllAreZero) {
  const Layout layout = Layout::make({{"a", {1}}}).value();
  const SparseUpdate one = update_of({1});
  std::vector<float> residual(1, 0.0f);
  const std::vector<Contribution> uneven{contribution(100, one), contribution(300, one)};
  const auto by_standing = seal_aggregate(layout, uneven, {}, kDense, 1.0f, residual).value();
  EXPECT_EQ(by_standing.weights, (std::vector<float>{0.25f, 0.75f}));
  const std::vector<Contribution> none{contribution(0, one), contribution(0, one)};
  const auto equal = seal_aggregate(layout, none, {}, kDense, 1.0f, residual).value();
  EXPECT_EQ(equal.weights, (std::vector<float>{0.5f, 0.5f}));
}

TEST(Aggregate, LeavesInTheResidualWhatTheDownlinkDidNotCarry) {
  const Layout layout = Layout::make({{"a", {8}}}).value();
  const SparseUpdate update = update_of({8, 7, 6, 5, 4, 3, 2, 1});
  std::vector<float> residual(8, 0.0f);
  const std::vector<Contribution> contributions{contribution(1, update)};
  const auto sealed =
      seal_aggregate(layout, contributions, {}, {1024, ValueFormat::kSign}, 1.0f, residual).value();
  ASSERT_EQ(sealed.decoded.indices.size(), 2u);
  EXPECT_EQ(residual[0], 8 - sealed.decoded.values[0]);
  EXPECT_EQ(residual[7], 1) << "not sent";
}

// The same sums written the plainest way, in the order that docs/protocol.md fixes.
TEST(Aggregate, IsBitEqualToTheNaiveSum) {
  const Layout layout = Layout::make({{"a", {5000}}}).value();
  Prng random(11);
  std::vector<SparseUpdate> updates;
  for (int miner = 0; miner < 5; ++miner) {
    std::vector<float> dense(5000);
    for (float& x : dense) x = static_cast<float>(random.uniform() - 0.5);
    updates.push_back(
        compression::decode(layout, compression::compress(layout, {256, ValueFormat::kSign}, dense)
                                        .value())
            .value());
  }
  std::vector<Contribution> contributions;
  for (const auto& update : updates) contributions.push_back(contribution(1000, update));
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
  for (std::size_t i = 0; i < sealed.decoded.indices.size(); ++i)
    expected[sealed.decoded.indices[i]] -= sealed.decoded.values[i];
  for (float& x : expected) x *= 0.5f;
  EXPECT_EQ(residual, expected);
}

}  // namespace
}  // namespace muster::state
