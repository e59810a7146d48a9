#include "verify/reviews.h"

#include <gtest/gtest.h>

#include <map>

namespace muster::verify {
namespace {

using protocol::Basis;
using protocol::Evaluation;

class ReviewsTest : public ::testing::Test {
 protected:
  static PublicKey hotkey(std::uint8_t number) {
    PublicKey key;
    key.bytes[0] = number;
    return key;
  }
  static Evaluation evaluation(std::uint64_t round, std::uint16_t uid, std::int16_t score = 480) {
    return {Uid{uid},
            Round{round},
            Basis::kMeasured,
            {score, {score, score, score, score}, {score}},
            900,
            80,
            true};
  }
  static protocol::Assessment opened(std::vector<Evaluation> evaluations,
                                     std::string platform_class = "a") {
    return {Round{evaluations.back().round.next()},
            {},
            std::move(evaluations),
            {},
            std::move(platform_class)};
  }
  static protocol::Secret secret(std::uint64_t number) {
    protocol::Secret secret{};
    for (std::size_t i = 0; i < 8; ++i) secret[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return secret;
  }
  std::vector<Measurable> miners(std::uint16_t count) {
    std::vector<Measurable> miners;
    for (std::uint16_t uid = 0; uid < count; ++uid) miners.push_back({Uid{uid}, 0.05, false});
    return miners;
  }

  Hash beacon_ = sha256(bytes_of("late"));
  Reviews reviews_;
};

TEST_F(ReviewsTest, ConfirmAnEvaluationThatIsWhatWasMeasured) {
  reviews_.measured(hotkey(1), evaluation(5, 2), "a");
  reviews_.take_opened(hotkey(1), opened({evaluation(5, 2)}));
  EXPECT_EQ(reviews_.due(), (std::vector<protocol::Review>{{hotkey(1), Round{5}, Uid{2}, false}}));
}

TEST_F(ReviewsTest, ContradictOneThatIsMadeUp) {
  reviews_.measured(hotkey(1), evaluation(5, 2), "a");
  reviews_.take_opened(hotkey(1),
                       opened({evaluation(5, 1), evaluation(5, 2, 481), evaluation(5, 3)}));
  EXPECT_EQ(reviews_.due(), (std::vector<protocol::Review>{{hotkey(1), Round{5}, Uid{2}, true}}));
}

TEST_F(ReviewsTest, AllowAnotherPlatformClassItsRounding) {
  reviews_.measured(hotkey(1), evaluation(5, 2), "b");
  reviews_.measured(hotkey(1), evaluation(6, 2), "b");
  reviews_.take_opened(hotkey(1), opened({evaluation(5, 2, 300), evaluation(6, 2, 250)}));
  const auto due = reviews_.due();
  ASSERT_EQ(due.size(), 2u);
  EXPECT_FALSE(due[0].contradicts);
  EXPECT_TRUE(due[1].contradicts);
}

TEST_F(ReviewsTest, SayNothingOfWhatThePeerDidNotMeasureOrSomebodyElseDid) {
  reviews_.measured(hotkey(1), evaluation(5, 2), "a");
  reviews_.take_opened(hotkey(2), opened({evaluation(5, 2, 100)}));
  reviews_.take_opened(hotkey(1), opened({{Uid{2}, Round{5}, Basis::kUnmeasured}}));
  reviews_.take_opened(hotkey(1), opened({evaluation(5, 2, 100)}));
  EXPECT_TRUE(reviews_.due().empty());
}

TEST_F(ReviewsTest, AreSaidUntilASealedScreenHasThem) {
  for (std::uint64_t round = 0; round < protocol::kReviewsMax + 4; ++round) {
    reviews_.measured(hotkey(1), evaluation(round, 2), "a");
    reviews_.take_opened(hotkey(1), opened({evaluation(round, 2)}));
  }
  const auto first = reviews_.due();
  ASSERT_EQ(first.size(), protocol::kReviewsMax);
  EXPECT_EQ(first.front().round, Round{4}) << "the newest first";
  EXPECT_EQ(reviews_.due(), first);
  reviews_.said(first);
  EXPECT_EQ(reviews_.due().size(), 4u);
}

TEST_F(ReviewsTest, AreDrawnInAQuarterOfTheRoundsAndByThePeersWeight) {
  const std::vector<Peer> peers{
      {hotkey(1), secret(1), 300}, {hotkey(2), secret(2), 100}, {hotkey(3), secret(3), 0}};
  std::map<PublicKey, int> drawn;
  constexpr int kRounds = 4000;
  for (std::uint64_t round = 0; round < kRounds; ++round)
    if (const auto draw = reviews_.draw(secret(round), beacon_, peers, miners(6)))
      ++drawn[draw->peer.hotkey];
  EXPECT_NEAR(drawn[hotkey(1)], 750, 150);
  EXPECT_NEAR(drawn[hotkey(2)], 250, 100);
  EXPECT_EQ(drawn.count(hotkey(3)), 0u) << "nothing that it says counts";
}

TEST_F(ReviewsTest, AskForAnyMinerAndMoreOftenForThoseThatThePeerHasTimeFor) {
  const std::vector<Peer> peers{{hotkey(1), secret(1), 1}};
  const auto order = measuring_order(secret(1), beacon_, miners(12));
  reviews_.take_opened(hotkey(1),
                       opened({evaluation(4, 0), {Uid{2}, Round{4}, Basis::kUnmeasured}}));
  reviews_.take_opened(
      hotkey(1),
      opened({{Uid{0}, Round{5}, Basis::kUnmeasured}}));  // the most of the last rounds counts
  std::map<Uid, int> seen;
  for (std::uint64_t round = 0; round < 4000; ++round)
    if (const auto draw = reviews_.draw(secret(round), beacon_, peers, miners(12)))
      ++seen[draw->miner];
  EXPECT_EQ(seen.size(), 12u);
  for (const Uid likely : {order[0], order[1]}) EXPECT_GT(seen[likely], 200);
  for (std::size_t place = 2; place < 12; ++place) EXPECT_LT(seen[order[place]], 100);
}

TEST_F(ReviewsTest, AreNotDrawnWithoutAPeerOrAPayload) {
  for (std::uint64_t round = 0; round < 50; ++round) {
    EXPECT_FALSE(reviews_.draw(secret(round), beacon_, {}, miners(3)));
    EXPECT_FALSE(reviews_.draw(secret(round), beacon_, {{hotkey(1), secret(1), 1}}, {}));
  }
}

}  // namespace
}  // namespace muster::verify
