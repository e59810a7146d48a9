#include "verify/rating_book.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.h"

namespace muster::verify {
namespace {

using protocol::Basis;

PublicKey key(std::uint8_t n) {
  PublicKey k;
  k.bytes[0] = n;
  return k;
}

protocol::RosterEntry miner(std::uint16_t uid, std::uint8_t hotkey) {
  return {Uid{uid}, key(hotkey), Role::kMiner, 0, {}};
}

protocol::Evaluation good(std::uint16_t uid, std::uint64_t round) {
  return {Uid{uid}, Round{round}, Basis::kMeasured, {500, {500, 500, 500, 500}, {500}}, 1000,
          0,        true};
}

RatingBook with_history(std::uint64_t rounds) {
  RatingBook book;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    book.take_roster(Round{round}, {miner(1, 11), miner(2, 12)});
    book.take(std::vector{good(1, round), good(2, round)});
  }
  return book;
}

TEST(RatingBook, KeepsRatingsByHotkey) {
  const RatingBook book = with_history(6);
  EXPECT_EQ(book.ratings().at(key(11)).evaluations(), 6u);
  EXPECT_EQ(book.find(Uid{2})->evaluations(), 6u);
  EXPECT_EQ(book.find(Uid{3}), nullptr);
}

TEST(RatingBook, AUidThatChangesHandsBeginsAnew) {
  RatingBook book = with_history(6);
  book.take_roster(Round{6}, {miner(1, 13), miner(2, 12)});
  EXPECT_FALSE(book.ratings().contains(key(11)));
  book.take(std::vector{good(1, 5)});  // of its predecessor
  EXPECT_EQ(book.find(Uid{1}), nullptr);
  book.take(std::vector{good(1, 6)});
  EXPECT_EQ(book.ratings().at(key(13)).evaluations(), 1u);
}

TEST(RatingBook, AHotkeyThatRegistersAgainUnderAnotherUidBeginsAnew) {
  RatingBook book = with_history(6);
  book.take_roster(Round{6}, {miner(5, 11), miner(2, 12)});
  EXPECT_FALSE(book.ratings().contains(key(11)));
  EXPECT_EQ(book.find(Uid{1}), nullptr);
}

TEST(RatingBook, NamesTheRatedMinersThatARosterLacks) {
  const RatingBook book = with_history(2);
  EXPECT_EQ(book.missing_from({miner(2, 12)}), std::vector<Uid>{Uid{1}});
  EXPECT_TRUE(book.missing_from({miner(1, 11), miner(2, 12), miner(3, 13)}).empty());
}

TEST(RatingBook, ForgetsWhoIsGone) {
  RatingBook book = with_history(20);
  for (std::uint64_t round = 20; round < 60; ++round) {
    for (Uid uid : book.missing_from({miner(2, 12)}))
      book.take(std::vector{protocol::Evaluation{uid, Round{round}, Basis::kAbsent}});
    book.take_roster(Round{round}, {miner(2, 12)});
  }
  EXPECT_FALSE(book.ratings().contains(key(11)));
  EXPECT_TRUE(book.missing_from({miner(2, 12)}).empty());
  book.take_roster(Round{60}, {miner(1, 11), miner(2, 12)});
  book.take(std::vector{good(1, 60)});
  EXPECT_EQ(book.ratings().at(key(11)).evaluations(), 1u);
}

// After a crash, or sealed late, evaluations come together and after the rosters of the rounds
// since.
TEST(RatingBook, IsTheSameWhenEvaluationsComeLater) {
  const std::vector<protocol::Evaluation> evaluations{
      {Uid{1}, Round{0}, Basis::kAbsent}, good(1, 1), good(1, 2)};
  RatingBook at_once, later;
  for (const auto& evaluation : evaluations) {
    at_once.take_roster(evaluation.round, {miner(1, 11)});
    later.take_roster(evaluation.round, {miner(1, 11)});
    at_once.take(std::vector{evaluation});
  }
  later.take(evaluations);
  EXPECT_EQ(at_once.find(Uid{1})->evaluations(), 2u);
  EXPECT_EQ(later.find(Uid{1})->evaluations(), 2u);
  EXPECT_EQ(later.find(Uid{1})->mean(), at_once.find(Uid{1})->mean());
}

// One of ten is measured a round: a turn takes ten rounds, and a rating ages by turns.
TEST(RatingBook, RatingsAgeByTurnsHoweverFewAreMeasuredInARound) {
  std::vector<protocol::RosterEntry> roster;
  for (std::uint16_t uid = 0; uid < 10; ++uid)
    roster.push_back(miner(uid, static_cast<std::uint8_t>(uid + 1)));
  RatingBook book;
  for (std::uint64_t round = 0; round < 20; ++round) {
    book.take_roster(Round{round}, roster);
    std::vector<protocol::Evaluation> evaluations;
    for (std::uint16_t uid = 0; uid < 10; ++uid)
      evaluations.push_back(uid == round % 10
                                ? good(uid, round)
                                : protocol::Evaluation{Uid{uid}, Round{round}, Basis::kUnmeasured});
    book.take(evaluations);
  }
  EXPECT_NEAR(book.find(Uid{0})->age(), 0.9, 1e-9);
  EXPECT_NEAR(book.find(Uid{9})->age(), 0, 1e-9);
}

TEST(RatingBook, RatingsAgeAlsoUnderAValidatorThatMeasuresNobody) {
  RatingBook book = with_history(6);
  for (std::uint64_t round = 6; round < 46; ++round)
    book.take(std::vector{protocol::Evaluation{Uid{1}, Round{round}, Basis::kUnmeasured},
                          protocol::Evaluation{Uid{2}, Round{round}, Basis::kUnmeasured}});
  EXPECT_NEAR(book.find(Uid{1})->age(), 20, 1e-9);
}

// Rounds from the one in which one of twelve miners stops training until it is unpaid for good, by
// a validator that has time for a `measured`th of them.
std::uint64_t rounds_until_unpaid(std::uint64_t seed, std::uint64_t measured) {
  constexpr std::uint16_t kMiners = 12;
  Prng random(seed);
  const auto score = [&random](double mean) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random.uniform();
    return static_cast<std::int16_t>(1000 * (mean + 0.11 * sum));
  };
  RatingBook book;
  std::vector<protocol::RosterEntry> roster;
  for (std::uint16_t uid = 0; uid < kMiners; ++uid)
    roster.push_back(miner(uid, static_cast<std::uint8_t>(uid + 1)));
  const std::uint64_t turns = 30 * measured, end = turns + 20 * measured;
  std::uint64_t unpaid = turns;
  for (std::uint64_t round = 1; round < end; ++round) {
    book.take_roster(Round{round}, roster);
    std::vector<Measurable> miners;
    for (const auto& entry : roster) miners.push_back(book.measurable(entry.uid));
    auto order = measuring_order(
        {}, tagged_hash("muster/test", bytes_of(std::to_string(seed * 10'000 + round))), miners);
    order.resize(round * kMiners / measured - (round - 1) * kMiners / measured);
    std::vector<protocol::Evaluation> evaluations;
    for (std::uint16_t uid = 0; uid < kMiners; ++uid) {
      evaluations.push_back({Uid{uid}, Round{round}, Basis::kUnmeasured, {}, 0, 0, false});
      if (std::ranges::find(order, Uid{uid}) == order.end()) continue;
      evaluations.back() = good(uid, round);
      auto& scores = evaluations.back().scores;
      for (auto* part : {&scores.all_e3, &scores.quarters_e3[0], &scores.quarters_e3[1],
                         &scores.quarters_e3[2], &scores.quarters_e3[3], &scores.groups_e3[0]})
        *part = score(uid == 0 && round >= turns ? 0 : 0.5);
    }
    book.take(evaluations);
    if (round >= turns && book.weights().at(key(1)) > 0) unpaid = round + 1;
  }
  return unpaid - turns;
}

TEST(RatingBook, WhoStopsTrainingIsUnpaidAfterFewEvaluationsHoweverFewMinersAreMeasuredInARound) {
  for (const std::uint64_t measured : {1, 2, 10, 40}) {
    std::uint64_t rounds = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) rounds += rounds_until_unpaid(seed, measured);
    EXPECT_GE(rounds, 8 * 1 * measured);
    EXPECT_LE(rounds, 8 * 4 * measured) << "1 of " << measured;
  }
}

TEST(RatingBook, IgnoresAUidThatNoRosterHad) {
  RatingBook book = with_history(2);
  book.take(std::vector{good(77, 2)});
  EXPECT_EQ(book.ratings().size(), 2u);
}

// Uid 1 changes hands after round 6; what the validator signed of it in round 6 is known three
// rounds later.
TEST(SealedBook, GoesThroughTheSameStepsForWhoeverLearnsOfAnAssessmentLater) {
  const auto roster_of = [](std::uint64_t round) {
    return std::vector{miner(1, round <= 6 ? 11 : 13), miner(2, 12)};
  };
  const auto assessment_of = [](std::uint64_t round) {
    return protocol::Assessment{Round{round}, {}, {good(1, round - 1), good(2, round - 1)}, {}, {}};
  };
  SealedBook at_once, later;
  constexpr std::uint64_t kLater = 3, kRounds = 12;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    if (round > 0) at_once.take(assessment_of(round));
    at_once.take_roster(Round{round}, roster_of(round));
    if (round > kLater) later.take(assessment_of(round - kLater));
    later.take_roster(Round{round}, roster_of(round));
  }
  for (std::uint64_t round = kRounds - kLater; round < kRounds; ++round)
    later.take(assessment_of(round));
  EXPECT_EQ(later.book().weights(), at_once.book().weights());
  EXPECT_EQ(later.current().find(Uid{1})->evaluations(),
            at_once.current().find(Uid{1})->evaluations());
  EXPECT_FALSE(at_once.current().ratings().contains(key(11)));
  EXPECT_EQ(later.missing_in(Round{5}), at_once.missing_in(Round{5}));
}

TEST(SealedBook, TakesNoAssessmentTwiceAndNoneBehindALaterOne) {
  SealedBook book;
  book.take_roster(Round{0}, {miner(1, 11)});
  book.take_roster(Round{1}, {miner(1, 11)});
  book.take({Round{2}, {}, {good(1, 1)}, {}, {}});
  book.take({Round{2}, {}, {good(1, 0)}, {}, {}});
  book.take({Round{1}, {}, {good(1, 0)}, {}, {}});
  EXPECT_EQ(book.book().find(Uid{1})->evaluations(), 1u);
}

TEST(SealedBook, KnowsWhomARosterLackedOnceItDoesNotWait) {
  SealedBook book;
  book.take_roster(Round{0}, {miner(1, 11), miner(2, 12)});
  book.take({Round{1}, {}, {good(1, 0), good(2, 0)}, {}, {}});
  book.take_roster(Round{1}, {miner(1, 11)});
  EXPECT_TRUE(book.missing_in(Round{1}).empty());
  book.advance(Round{2});
  EXPECT_EQ(book.missing_in(Round{1}), std::vector{Uid{2}});
}

// A validator that is away for long, or lost what it sealed, does not make the book grow.
TEST(SealedBook, WaitsForSomeRoundsOnly) {
  SealedBook book;
  book.take_roster(Round{0}, {miner(1, 11), miner(2, 12)});
  book.take({Round{1}, {}, {good(1, 0), good(2, 0)}, {}, {}});
  for (std::uint64_t round = 1; round <= SealedBook::kRoundsKept + 1; ++round)
    book.take_roster(Round{round}, {miner(1, 11)});
  EXPECT_EQ(book.missing_in(Round{1}), std::vector{Uid{2}});
}

}  // namespace
}  // namespace muster::verify
