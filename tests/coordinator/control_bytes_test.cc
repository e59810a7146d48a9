// What a miner is sent in a round, by the number of miners.
#include "tests/coordinator/coordinator_fixture.h"

namespace muster::coordinator {
namespace {

class ControlBytesTest : public CoordinatorTest {
 public:
  explicit ControlBytesTest(std::uint16_t miners) : CoordinatorTest(miners) {}
  void TestBody() override {}

  // To the first miner, in one round in which everybody takes part.
  std::size_t bytes_of_a_round() {
    all_ready();
    std::vector<std::uint16_t> everybody;
    for (std::uint16_t uid = 0; uid < miners_; ++uid) everybody.push_back(uid);
    run_round(everybody);
    EXPECT_EQ(sealed_.size(), 1u);
    EXPECT_EQ(sealed_.back().record.outcomes.size(), miners_);
    std::size_t bytes = bytes_to_miners_;
    for (const Send& sent : sent_)
      if (sent.to == key(0).public_key()) bytes += sent.message.size();
    return bytes;
  }
};

TEST(ControlBytes, Of250MinersAreAtMostTwiceThoseOf16) {
  ControlBytesTest few(16), many(250);
  const std::size_t at_16 = few.bytes_of_a_round(), at_250 = many.bytes_of_a_round();
  RecordProperty("bytes_at_16", static_cast<int>(at_16));
  RecordProperty("bytes_at_250", static_cast<int>(at_250));
  EXPECT_LE(at_250, 2 * at_16) << at_16 << " bytes at 16 miners, " << at_250 << " at 250";
}

}  // namespace
}  // namespace muster::coordinator
