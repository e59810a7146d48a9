#include "trainer/card/card_loss_probe.h"

#include "state/outer_step.h"
#include "tests/trainer/card/card_fixture.h"

namespace muster::trainer {
namespace {

class CardLossProbeTest : public CardTrainerTest {
 protected:
  void prepare() override {
    probe_ = CardLossProbe::make(config_, data(config_.train_data),
                                 data(config_.held_out_data, kHeldOutSplit), card(), theta_)
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
  void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-2);
  }
};

TEST_F(CardLossProbeTest, MeasuresWhatTheCpuDoesWithinRounding) {
  const auto tried = update(2);
  ASSERT_TRUE(probe_->apply(update(1)));
  ASSERT_TRUE(on_cpu_->apply(update(1)));
  for (auto point : {protocol::ProbePoint::kCurrent, protocol::ProbePoint::kPrevious})
    expect_near(probe_->losses(point, &tried, 0.4f, sequences_).value(),
                on_cpu_->losses(point, &tried, 0.4f, sequences_).value());
  EXPECT_NEAR(probe_->held_out_loss().value(), on_cpu_->held_out_loss().value(), 1e-2);
  EXPECT_TRUE(std::ranges::equal(probe_->parameters(), on_cpu_->parameters()));
}

TEST_F(CardLossProbeTest, LeavesTheParametersBitForBitUnchanged) {
  const auto tried = update(2);
  ASSERT_TRUE(probe_->apply(update(1)));
  const auto before =
      probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value();
  for (auto point : {protocol::ProbePoint::kCurrent, protocol::ProbePoint::kPrevious})
    ASSERT_TRUE(probe_->losses(point, &tried, 0.4f, sequences_));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(), before);
}

TEST_F(CardLossProbeTest, MeasuresAtThePreviousParametersAfterAStep) {
  const auto before =
      probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value();
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            before);
  ASSERT_TRUE(probe_->apply(update(1)));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            before);
  EXPECT_NE(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(), before);
}

TEST_F(CardLossProbeTest, ADisplacementIsWhatAStepWouldBe) {
  const auto tried = update(3);
  const auto displaced =
      probe_->losses(protocol::ProbePoint::kCurrent, &tried, 1.0f, sequences_).value();
  ASSERT_TRUE(probe_->apply(tried));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value(),
            displaced);
}

TEST_F(CardLossProbeTest, GivesTheCpusCosinesWithinRounding) {
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  ASSERT_TRUE(on_cpu_->compute_gradient(sequences_));
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    EXPECT_NEAR(probe_->gradient_cosine(update(seed)), on_cpu_->gradient_cosine(update(seed)),
                1e-3);
  EXPECT_EQ(probe_->gradient_cosine({}), 0);
}

TEST_F(CardLossProbeTest, GivesTheCpusProductsWithinRounding) {
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

TEST_F(CardLossProbeTest, KeepsTheScreeningGradientWhileProductsAreMeasured) {
  const auto tried = update(4);
  const compression::SparseUpdate* updates[] = {&tried};
  const protocol::Window window{7, 2, 6};
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  const double cosine = probe_->gradient_cosine(tried);
  ASSERT_TRUE(probe_->products({&window, 1}, updates));
  EXPECT_EQ(probe_->gradient_cosine(tried), cosine);
}

TEST_F(CardLossProbeTest, NamesTheCardInItsPlatformClass) {
  EXPECT_TRUE(probe_->platform_class().starts_with("muster-1/cuda/")) << probe_->platform_class();
  EXPECT_NE(probe_->platform_class(), on_cpu_->platform_class());
}

TEST_F(CardLossProbeTest, NewParametersForgetTheLastStep) {
  ASSERT_TRUE(probe_->apply(update(1)));
  ASSERT_TRUE(probe_->set_parameters(theta_));
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).value(),
            probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value());
}

}  // namespace
}  // namespace muster::trainer
