#include <cmath>
#include <numeric>

#include "state/outer_step.h"
#include "tests/trainer/trainer_fixture.h"

namespace muster::trainer {
namespace {

class LossProbeTest : public TrainerTest {
 protected:
  std::unique_ptr<protocol::LossProbe> probe_ = make_loss_probe(config_, theta_).value();
  std::vector<std::uint64_t> sequences_{1, 5, 9, 100};

  std::vector<float> parameters() const {
    return {probe_->parameters().begin(), probe_->parameters().end()};
  }
  compression::SparseUpdate update(std::uint64_t seed) const {
    Prng random(seed);
    compression::SparseUpdate update;
    for (std::uint64_t i = 0; i < theta_.size(); i += 7) {
      update.indices.push_back(i);
      update.values.push_back(static_cast<float>(random.uniform() - 0.5) * 0.01f);
    }
    update.segment_ends = {update.indices.size()};
    return update;
  }
};

TEST_F(LossProbeTest, LeavesTheParametersBitForBitUnchanged) {
  const auto applied = update(1), tried = update(2);
  ASSERT_TRUE(probe_->apply(applied));
  const auto before = parameters();
  for (auto point : {protocol::ProbePoint::kCurrent, protocol::ProbePoint::kPrevious})
    ASSERT_TRUE(probe_->losses(point, &tried, 0.4f, sequences_));
  EXPECT_EQ(parameters(), before);
}

TEST_F(LossProbeTest, MeasuresAtThePreviousParametersAfterAStep) {
  const auto before =
      probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value();
  ASSERT_TRUE(probe_->apply(update(1)));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            before);
  EXPECT_NE(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(), before);
}

TEST_F(LossProbeTest, ADisplacementIsWhatAStepWouldBe) {
  const auto tried = update(3);
  const auto displaced =
      probe_->losses(protocol::ProbePoint::kCurrent, &tried, 1.0f, sequences_).value();
  ASSERT_TRUE(probe_->apply(tried));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(),
            displaced);
}

TEST_F(LossProbeTest, AStepAlongTheGradientHasCosineOneAndLowersTheLoss) {
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  // Finite differences: a sign update that agrees with the gradient everywhere is found by trying.
  compression::SparseUpdate along;
  for (std::uint64_t i = 0; i < theta_.size(); ++i) {
    const compression::SparseUpdate one{{i}, {1.0f}, {1}};
    const double cosine = probe_->gradient_cosine(one);
    if (cosine == 0) continue;
    along.indices.push_back(i);
    along.values.push_back(static_cast<float>(cosine));
  }
  along.segment_ends = {along.indices.size()};
  EXPECT_NEAR(probe_->gradient_cosine(along), 1, 1e-5);
  const auto mean = [](const std::vector<float>& losses) {
    double sum = 0;
    for (float loss : losses) sum += loss;
    return sum / static_cast<double>(losses.size());
  };
  const double before =
      mean(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value());
  const double after =
      mean(probe_->losses(protocol::ProbePoint::kCurrent, &along, 0.05f, sequences_).value());
  EXPECT_LT(after, before);
}

TEST_F(LossProbeTest, ProductsOfAWholeSequenceAreThoseOfItsGradient) {
  const auto one = update(4), other = update(5);
  ASSERT_TRUE(probe_->compute_gradient(std::span(sequences_).first(1)));
  const double expected = probe_->gradient_cosine(one) * compression::norm(one) /
                          (probe_->gradient_cosine(other) * compression::norm(other));
  const protocol::Window whole{sequences_[0], 0, config_.model.context};
  const compression::SparseUpdate* updates[] = {&one, &other};
  const auto products = probe_->products({&whole, 1}, updates).value();
  const std::size_t groups = products.size() / 2;
  EXPECT_EQ(groups, 1 + 2 * config_.model.layers);
  const auto sum = [&](std::size_t first) {
    return std::accumulate(products.begin() + static_cast<std::ptrdiff_t>(first),
                           products.begin() + static_cast<std::ptrdiff_t>(first + groups), 0.0);
  };
  EXPECT_NEAR(sum(0) / sum(groups) / expected, 1, 1e-3);
}

TEST_F(LossProbeTest, ProductsOfTwoHalvesAverageToThatOfTheWhole) {
  const auto update = this->update(6);
  const compression::SparseUpdate* updates[] = {&update};
  const std::uint32_t context = config_.model.context, half = context / 2;
  const protocol::Window windows[] = {{7, 0, half}, {7, half, context}, {7, 0, context}};
  const auto products = probe_->products(windows, updates).value();
  const std::size_t groups = products.size() / 3;
  for (std::size_t group = 0; group < groups; ++group) {
    const double mean = (products[group] + products[groups + group]) / 2,
                 whole = products[2 * groups + group];
    EXPECT_NEAR(mean, whole,
                2e-3 * (std::fabs(products[group]) + std::fabs(products[groups + group])))
        << group;
  }
}

TEST_F(LossProbeTest, ProductsAreAtThePreviousParametersAndLeaveThemAsTheyAre) {
  const auto tried = update(7);
  const compression::SparseUpdate* updates[] = {&tried};
  const protocol::Window windows[] = {{3, 2, 6}, {4, 8, 12}};
  const auto before = probe_->products(windows, updates).value();
  ASSERT_TRUE(probe_->apply(update(1)));
  const auto stepped = parameters();
  EXPECT_EQ(probe_->products(windows, updates).value(), before);
  EXPECT_EQ(parameters(), stepped);
}

TEST_F(LossProbeTest, KeepsTheScreeningGradientWhileProductsAreMeasured) {
  const auto tried = update(7);
  const compression::SparseUpdate* updates[] = {&tried};
  const protocol::Window window{7, 2, 6};
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  const double cosine = probe_->gradient_cosine(tried);
  ASSERT_TRUE(probe_->products({&window, 1}, updates));
  EXPECT_EQ(probe_->gradient_cosine(tried), cosine);
}

TEST_F(LossProbeTest, RefusesTokensThatTheModelDoesNotHave) {
  config_.model.vocab = 'm';  // the words have letters beyond
  config_.held_out_sequences = 1;
  std::vector<float> theta(state::layout_of(config_.model).parameters());
  auto probe = make_loss_probe(config_, theta).value();
  const auto loss = probe->held_out_loss();
  ASSERT_FALSE(loss.has_value());
  EXPECT_EQ(loss.error().code, Errc::kInvalidArgument);
  EXPECT_NE(loss.error().message.find("vocabulary of 109"), std::string::npos)
      << loss.error().message;
}

TEST_F(LossProbeTest, StartsNearTheEntropyOfAUniformGuess) {
  EXPECT_NEAR(probe_->held_out_loss().value(), std::log(256.0), 0.3);
}

}  // namespace
}  // namespace muster::trainer
