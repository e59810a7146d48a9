// The same on the first card of this machine; skipped, with the reason, where there is none.
#include "tests/cuda/card_conformance.h"

namespace muster::gpu {
namespace {

Result<std::shared_ptr<Card>> open_first_card() {
  MUSTER_TRY(const auto cards, load_cards(std::filesystem::path(MUSTER_BINARY_DIR) / "bin"));
  MUSTER_TRY(auto card, cards->open(0));
  return std::shared_ptr<Card>(std::move(card));
}

const Result<std::shared_ptr<Card>>& first_card() {
  static const Result<std::shared_ptr<Card>> card = open_first_card();
  return card;
}

compression::Selector card_selector() {
  if (first_card()) return selector_of("first", *first_card());
  return {"first", {}, first_card().error().message};
}

INSTANTIATE_TEST_SUITE_P(Card, CardConformance,
                         ::testing::Values(CardMaker{"first", [] { return first_card(); }}),
                         [](const auto& test) { return test.param.name; });

class CardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!first_card()) GTEST_SKIP() << first_card().error().message;
  }
};

TEST_F(CardTest, SaysWhatItIs) {
  const CardInfo info = (*first_card())->info();
  EXPECT_FALSE(info.name.empty());
  EXPECT_GE(info.capability_major, 8);
  EXPECT_GT(info.memory_bytes, info.free_bytes);
}

TEST_F(CardTest, SaysHowMuchMemoryIsMissing) {
  const auto array = (*first_card())->make_array(std::uint64_t{1} << 40);
  ASSERT_FALSE(array.has_value());
  EXPECT_EQ(array.error().code, Errc::kTooLarge);
  EXPECT_NE(array.error().message.find("4096.0 GiB more are needed"), std::string::npos)
      << array.error().message;
  EXPECT_TRUE((*first_card())->make_array(1000).has_value()) << "and goes on";
}

TEST_F(CardTest, RefusesValuesWithoutLevels) {
  const auto layout = compression::Layout::make({{"a", {100}}}).value();
  auto feedback = (*first_card())->make_error_feedback(layout).value();
  EXPECT_EQ(selecting(*feedback).select({64, compression::ValueFormat::kFloat16}).error().code,
            Errc::kInvalidArgument);
}

TEST_F(CardTest, GivesTheSameBitsEveryTime) {
  const auto layout = compression::Layout::make({{"a", {500, 4096}}}).value();
  std::vector<float> delta(layout.parameters());
  Prng random(5);
  for (float& x : delta) x = static_cast<float>(std::pow(random.uniform() * 2 - 1, 5));
  std::vector<compression::Payload> payloads;
  for (int time = 0; time < 10; ++time) {
    auto feedback = (*first_card())->make_error_feedback(layout).value();
    feedback->delta().write(delta).value();
    payloads.push_back(
        payload_of(
            layout,
            selecting(*feedback).select({256, compression::ValueFormat::kSignMagnitude}).value())
            .value());
    ASSERT_EQ(payloads.back(), payloads.front());
  }
}

}  // namespace
}  // namespace muster::gpu

namespace muster::compression {

INSTANTIATE_TEST_SUITE_P(Card, SelectConformance, ::testing::Values(gpu::card_selector()),
                         [](const auto& test) { return test.param.name; });

}  // namespace muster::compression
