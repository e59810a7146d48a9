#include "trainer/loss_probe.h"

#include <cmath>
#include <numeric>

#include "state/outer_step.h"
#include "tests/trainer/device/device_fixture.h"

namespace muster::trainer {
namespace {

class LossProbeOn : public DeviceTest {
 protected:
  void prepare() override {
    probe_ = DeviceLossProbe::make(config_, data(config_.train_data),
                                   data(config_.held_out_data, kHeldOutSplit), device(), theta_)
                 .value();
  }
  std::unique_ptr<protocol::LossProbe> probe_;
  std::unique_ptr<protocol::LossProbe> on_cpu_ = make_loss_probe(config_, theta_).value();
  std::vector<std::uint64_t> sequences_{1, 5, 9, 100};

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
  std::vector<float> parameters() const {
    return {probe_->parameters().begin(), probe_->parameters().end()};
  }
  void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-2);
  }
};

TEST_P(LossProbeOn, MeasuresWhatTheCpuDoesWithinRounding) {
  const auto tried = update(2);
  ASSERT_TRUE(probe_->apply(update(1)));
  ASSERT_TRUE(on_cpu_->apply(update(1)));
  for (auto point : {protocol::ProbePoint::kCurrent, protocol::ProbePoint::kPrevious})
    expect_near(probe_->losses(point, &tried, 0.4f, sequences_).value(),
                on_cpu_->losses(point, &tried, 0.4f, sequences_).value());
  EXPECT_NEAR(probe_->held_out_loss().value(), on_cpu_->held_out_loss().value(), 1e-2);
  EXPECT_TRUE(std::ranges::equal(probe_->parameters(), on_cpu_->parameters()));
}

TEST_P(LossProbeOn, LeavesTheParametersBitForBitUnchanged) {
  const auto tried = update(2);
  ASSERT_TRUE(probe_->apply(update(1)));
  const auto before =
      probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value();
  for (auto point : {protocol::ProbePoint::kCurrent, protocol::ProbePoint::kPrevious})
    ASSERT_TRUE(probe_->losses(point, &tried, 0.4f, sequences_));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(), before);
}

TEST_P(LossProbeOn, MeasuresAtThePreviousParametersAfterAStep) {
  const auto before =
      probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value();
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            before);
  ASSERT_TRUE(probe_->apply(update(1)));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            before);
  EXPECT_NE(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(), before);
}

TEST_P(LossProbeOn, ADisplacementIsWhatAStepWouldBe) {
  const auto tried = update(3);
  const auto displaced =
      probe_->losses(protocol::ProbePoint::kCurrent, &tried, 1.0f, sequences_).value();
  ASSERT_TRUE(probe_->apply(tried));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(),
            displaced);
}

TEST_P(LossProbeOn, GivesTheCpusCosinesWithinRounding) {
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  ASSERT_TRUE(on_cpu_->compute_gradient(sequences_));
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    EXPECT_NEAR(probe_->gradient_cosine(update(seed)).value(),
                on_cpu_->gradient_cosine(update(seed)).value(), 1e-3);
  EXPECT_EQ(probe_->gradient_cosine({}).value(), 0);
}

TEST_P(LossProbeOn, GivesTheCpusProductsWithinRounding) {
  const auto one = update(4), other = update(5);
  const compression::SparseUpdate* updates[] = {&one, &other};
  const std::uint32_t context = config_.model.context;
  const protocol::Window windows[] = {{7, 0, context}, {8, 3, 5}, {9, context - 4, context}};
  const auto before = probe_->products(windows, updates).value(),
             expected = on_cpu_->products(windows, updates).value();
  ASSERT_EQ(before.size(), expected.size());
  double largest = 0;
  for (const double product : expected) largest = std::max(largest, std::fabs(product));
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(before[i], expected[i], 0.03 * largest) << i;
  ASSERT_TRUE(probe_->apply(update(1)));
  EXPECT_EQ(probe_->products(windows, updates).value(), before)
      << "at the parameters before the step";
}

TEST_P(LossProbeOn, KeepsTheScreeningGradientWhileProductsAreMeasured) {
  const auto tried = update(4);
  const compression::SparseUpdate* updates[] = {&tried};
  const protocol::Window window{7, 2, 6};
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  const double cosine = probe_->gradient_cosine(tried).value();
  ASSERT_TRUE(probe_->products({&window, 1}, updates));
  EXPECT_EQ(probe_->gradient_cosine(tried).value(), cosine);
}

TEST_P(LossProbeOn, NamesWhatItComputesWithInItsPlatformClass) {
  const bool is_card = GetParam() == TestDevice::kCard;
  EXPECT_EQ(probe_->platform_class().starts_with("muster-1/cuda/"), is_card)
      << probe_->platform_class();
  EXPECT_EQ(probe_->platform_class() == on_cpu_->platform_class(), !is_card);
}

TEST_P(LossProbeOn, NewParametersForgetTheLastStep) {
  ASSERT_TRUE(probe_->apply(update(1)));
  ASSERT_TRUE(probe_->set_parameters(theta_));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value());
}

TEST_P(LossProbeOn, AStepAlongTheGradientHasCosineOneAndLowersTheLoss) {
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  // Finite differences: a sign update that agrees with the gradient everywhere is found by trying.
  compression::SparseUpdate along;
  for (std::uint64_t i = 0; i < theta_.size(); ++i) {
    const compression::SparseUpdate one{{i}, {1.0f}, {1}};
    const double cosine = probe_->gradient_cosine(one).value();
    if (cosine == 0) continue;
    along.indices.push_back(i);
    along.values.push_back(static_cast<float>(cosine));
  }
  along.segment_ends = {along.indices.size()};
  EXPECT_NEAR(probe_->gradient_cosine(along).value(), 1, 1e-5);
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

TEST_P(LossProbeOn, ProductsOfAWholeSequenceAreThoseOfItsGradient) {
  const auto one = update(4), other = update(5);
  ASSERT_TRUE(probe_->compute_gradient(std::span(sequences_).first(1)));
  const double expected = probe_->gradient_cosine(one).value() * compression::norm(one) /
                          (probe_->gradient_cosine(other).value() * compression::norm(other));
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

TEST_P(LossProbeOn, ProductsOfTwoHalvesAverageToThatOfTheWhole) {
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

TEST_P(LossProbeOn, ProductsAreAtThePreviousParametersAndLeaveThemAsTheyAre) {
  const auto tried = update(7);
  const compression::SparseUpdate* updates[] = {&tried};
  const protocol::Window windows[] = {{3, 2, 6}, {4, 8, 12}};
  const auto before = probe_->products(windows, updates).value();
  ASSERT_TRUE(probe_->apply(update(1)));
  const auto stepped = parameters();
  EXPECT_EQ(probe_->products(windows, updates).value(), before);
  EXPECT_EQ(parameters(), stepped);
}

TEST_P(LossProbeOn, RefusesTokensThatTheModelDoesNotHave) {
  config_.model.vocab = 'h';  // the words have letters beyond
  config_.held_out_sequences = 1;
  std::vector<float> theta(state::layout_of(config_.model).parameters());
  auto probe = DeviceLossProbe::make(config_, data(config_.train_data),
                                     data(config_.held_out_data, kHeldOutSplit), device(), theta)
                   .value();
  const auto loss = probe->held_out_loss();
  ASSERT_FALSE(loss.has_value());
  EXPECT_EQ(loss.error().code, Errc::kInvalidArgument);
  EXPECT_NE(loss.error().message.find("vocabulary of 104"), std::string::npos)
      << loss.error().message;
}

TEST_P(LossProbeOn, StartsNearTheEntropyOfAUniformGuess) {
  EXPECT_NEAR(probe_->held_out_loss().value(), std::log(256.0), 0.3);
}

INSTANTIATE_TEST_SUITE_P(On, LossProbeOn, test_devices(), device_name);

}  // namespace
}  // namespace muster::trainer
