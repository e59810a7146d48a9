// What every Collective must do, by NCCL on the first cards of this machine; skipped, with the
// reason, where there is none.
#include "tests/cuda/cards_as_ranks.h"
#include "tests/trainer/ranks/collective_conformance.h"

namespace muster::gpu {

struct CardMemory {
  Card& card;
  std::vector<std::unique_ptr<FloatArray>> arrays = {};
  std::span<float> make(const std::vector<float>& values) {
    arrays.push_back(card.make_array(values.size()).value());
    arrays.back()->write(values).value();
    return {arrays.back()->device_data(), values.size()};
  }
  [[nodiscard]] std::vector<float> values(std::span<const float> there) const {
    std::vector<float> values(there.size());
    for (const auto& array : arrays)
      if (array->device_data() == there.data() && array->size() == there.size())
        array->read(values).value();
    return values;
  }
};

struct CardEnvironment {
  [[nodiscard]] unsigned size() const { return cards ? cards->size() : 1; }
  template <class Main>
  void run(const Main& rank_main) {
    if (!cards) GTEST_SKIP() << cards.error().message;
    cards->run([&](Card& card, Collective& collective) {
      CardMemory memory{card};
      rank_main(collective, memory);
    });
  }
  Result<CardsAsRanks> cards = CardsAsRanks::find();
};

}  // namespace muster::gpu

namespace muster::trainer {

INSTANTIATE_TYPED_TEST_SUITE_P(Card, CollectiveConformance, ::testing::Types<gpu::CardEnvironment>);

}  // namespace muster::trainer

namespace muster::gpu {
namespace {

TEST(CardCollective, GroupsHaveNamesOfTheirOwnOrTheMendIsNamed) {
  const auto cards = load_cards(std::filesystem::path(MUSTER_BINARY_DIR) / "bin");
  if (!cards) GTEST_SKIP() << cards.error().message;
  const auto one = (*cards)->make_group_id(), other = (*cards)->make_group_id();
  if (!one) {
    EXPECT_EQ(one.error().code, Errc::kNotFound);
    EXPECT_NE(one.error().message.find("install libnccl"), std::string::npos)
        << one.error().message;
    return;
  }
  ASSERT_TRUE(other);
  EXPECT_NE(one->bytes, other->bytes);
}

}  // namespace
}  // namespace muster::gpu
