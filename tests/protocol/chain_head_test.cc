#include "protocol/chain_head.h"

#include <array>
#include <limits>

#include "protocol/assessment.h"
#include "tests/protocol/joining_fixture.h"

namespace muster::protocol {
namespace {

class HeadStateTest : public JoiningTest {};

TEST_F(HeadStateTest, ComesBackFromItsEncoding) {
  const Bytes bytes = wire::encode(head_);
  const auto again = wire::decode<HeadState>(bytes, "head").value();
  EXPECT_EQ(wire::encode(again), bytes);
  EXPECT_EQ(ChainHead(params_, run_id_, again).hash(), ChainHead(params_, run_id_, head_).hash());
}

TEST_F(HeadStateTest, HashesDifferentlyForEveryFieldAndRun) {
  const Hash before = ChainHead(params_, run_id_, head_).hash();
  EXPECT_NE(ChainHead(params_, sha256(bytes_of("other run")), head_).hash(), before);
  const std::function<void(HeadState&)> changes[] = {
      [](HeadState& s) { s.round = Round{6}; },
      [](HeadState& s) { s.parent.bytes[0] ^= 1; },
      [](HeadState& s) { s.state_id.bytes[0] ^= 1; },
      [](HeadState& s) { s.beacon.bytes[0] ^= 1; },
      [](HeadState& s) { s.epoch = 1; },
      [](HeadState& s) { s.cursor = 1; },
      [](HeadState& s) { s.null_rounds = 1; },
      [](HeadState& s) { s.medians.push_back(1); },
      [](HeadState& s) { s.unscreened_rounds = 1; },
      [](HeadState& s) { s.drops.push_back(1); },
      [](HeadState& s) { s.members[0].standing.value = 1; },
      [](HeadState& s) { s.members[0].standing.proven = true; },
      [](HeadState& s) { s.tails.push_back({}); },
      [](HeadState& s) { s.screened.push_back({}); },
      [](HeadState& s) { s.contradictions.push_back({}); },
      [](HeadState& s) { s.sealed.push_back({}); },
      [](HeadState& s) { s.withheld.push_back({}); },
      [](HeadState& s) { s.members[0].role = Role::kValidator; }};
  for (const auto& change : changes) {
    HeadState changed = head_;
    change(changed);
    EXPECT_NE(ChainHead(params_, run_id_, changed).hash(), before);
  }
}

TEST_F(HeadStateTest, IsRefusedWithWhatNoHistoryLeaves) {
  ASSERT_TRUE(validate(head_));
  const std::function<void(HeadState&)> changes[] = {
      [](HeadState& s) { s.medians.assign(17, 1.0); },
      [](HeadState& s) { s.medians = {-1.0}; },
      [](HeadState& s) { s.medians = {std::numeric_limits<double>::quiet_NaN()}; },
      [](HeadState& s) { s.tails.resize(17); },
      [](HeadState& s) { s.drops.resize(17); },
      [](HeadState& s) { s.screened.resize(4); },
      [](HeadState& s) {
        s.screened = {{s.members[0].hotkey, s.members[0].hotkey}};
      },
      [](HeadState& s) { s.contradictions.resize(2); },
      [](HeadState& s) { s.sealed.resize(2); },
      [](HeadState& s) { s.withheld.resize(2); },
      [](HeadState& s) { s.members.push_back(s.members[0]); }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    HeadState changed = head_;
    changes[i](changed);
    EXPECT_FALSE(validate(changed).has_value()) << "change " << i;
  }
}

class ChainHeadTest : public JoiningTest {
 protected:
  ChainHeadTest() {
    params_.verification.unscreened_rounds_max = 2;
    open_.roster = {{Uid{0}, keys_[0].public_key(), Role::kMiner, 0, {}},
                    {Uid{1}, keys_[1].public_key(), Role::kMiner, 0, {}},
                    {Uid{2}, keys_[2].public_key(), Role::kValidator, 5, {}}};
    manifest_.codes = {OutcomeCode::kAccepted, OutcomeCode::kMissed};
    manifest_.standings.resize(2);
    manifest_.screens = {{Uid{2}, {}}};
  }
  std::array<SigningKey, 3> keys_{SigningKey(random_seed()), SigningKey(random_seed()),
                                  SigningKey(random_seed())};
  RoundOpen open_;
  Manifest manifest_;
};

TEST_F(ChainHeadTest, RefusesAManifestOfOtherMinersThanTheRosters) {
  EXPECT_TRUE(fits_roster(manifest_, open_));
  manifest_.codes.push_back(OutcomeCode::kAccepted);
  EXPECT_EQ(fits_roster(manifest_, open_).error().code, Errc::kMalformed);
  manifest_.standings.push_back({});
  EXPECT_EQ(fits_roster(manifest_, open_).error().code, Errc::kMalformed);
  manifest_.codes.pop_back();
  EXPECT_EQ(fits_roster(manifest_, open_).error().code, Errc::kMalformed);
  manifest_.standings.pop_back();
  manifest_.screens = {{Uid{1}, {}}};
  EXPECT_EQ(fits_roster(manifest_, open_).error().code, Errc::kMalformed) << "a miner's Screen";
}

TEST_F(ChainHeadTest, RemembersWhoMissed) {
  ChainHead head(params_, run_id_);
  for (int round = 0; round < 2; ++round) head.advance(Hash{}, open_, manifest_);
  EXPECT_TRUE(head.expected(keys_[0].public_key()));
  EXPECT_FALSE(head.expected(keys_[1].public_key())) << "missed twice";
  EXPECT_TRUE(head.expected(keys_[2].public_key()));
}

TEST_F(ChainHeadTest, CountsRoundsWithoutTheScreenOfAStakedValidator) {
  ChainHead head(params_, run_id_);
  head.advance(Hash{}, open_, manifest_);
  EXPECT_EQ(head.unscreened_rounds_in_a_row(), 0u);
  open_.roster[2].stake = 0;
  for (int round = 0; round < 2; ++round) head.advance(Hash{}, open_, manifest_);
  EXPECT_EQ(head.unscreened_rounds_in_a_row(), 2u) << "a Screen without stake screens nothing";
  EXPECT_TRUE(head.needs_validator());
}

TEST_F(ChainHeadTest, WeighsValidatorsByTheirStake) {
  open_.roster[2].stake = 0;
  open_.roster.push_back({Uid{3}, SigningKey(random_seed()).public_key(), Role::kValidator, 7, {}});
  const ChainHead head(params_, run_id_);
  EXPECT_EQ(head.weights(open_).at(Uid{2}), 0u);
  EXPECT_EQ(head.weights(open_).at(Uid{3}), 7u);
}

TEST_F(ChainHeadTest, WeighsMinersByTheStandingsOfTheLastManifest) {
  ChainHead head(params_, run_id_);
  const auto before = head.weights(open_);
  EXPECT_EQ(before.at(Uid{0}), before.at(Uid{1})) << "newcomers";
  manifest_.standings = {{65535, true}, {0, false}};
  head.advance(Hash{}, open_, manifest_);
  const auto after = head.weights(open_);
  EXPECT_EQ(after.at(Uid{0}), 65535u);
  EXPECT_EQ(after.at(Uid{1}), 0u);
}

TEST_F(ChainHeadTest, RemembersTheMedianDropsOf16Rounds) {
  ChainHead head(params_, run_id_);
  EXPECT_EQ(head.trailing_drop_e6(), 0);
  head.advance(Hash{}, open_, manifest_);
  EXPECT_EQ(head.trailing_drop_e6(), 0) << "a round in which nobody measured";
  for (std::int32_t drop = 1; drop <= 20; ++drop) {
    manifest_.median_drop_e6 = drop;
    head.advance(Hash{}, open_, manifest_);
  }
  EXPECT_EQ(head.state().drops.size(), 16u);
  EXPECT_EQ(head.trailing_drop_e6(), 8);
}

TEST_F(ChainHeadTest, HoldsADropAgainstTheLeastOfTheFirstRoundsWhichLowerTheLossMost) {
  ChainHead head(params_, run_id_);
  for (const std::int32_t drop : {76'000, 63'000, 16'000, 8'000}) {
    manifest_.median_drop_e6 = drop;
    head.advance(Hash{}, open_, manifest_);
  }
  EXPECT_EQ(head.trailing_drop_e6(), 8'000);
}

TEST_F(ChainHeadTest, RefusesToGoOnUnscreenedForEver) {
  ChainHead head(params_, run_id_);
  manifest_.screens.clear();
  for (int round = 0; round < 2; ++round) head.advance(Hash{}, open_, manifest_);
  RoundOpen next;
  next.state_id = head.state_id();
  next.beacon = head.beacon();
  next.epoch = head.cursor().epoch;
  next.cursor = head.cursor().position;
  EXPECT_EQ(head.check_open(next).error().code, Errc::kConflict);
  next.roster.push_back(open_.roster[2]);
  EXPECT_TRUE(head.check_open(next));
}

TEST_F(ChainHeadTest, BoundsNormsByTheMediansBefore) {
  HeadState state = head_;
  state.medians = {};
  EXPECT_EQ(ChainHead(params_, run_id_, state).norm_max(), 1e9);
  state.medians = {3, 1, 2};
  EXPECT_EQ(ChainHead(params_, run_id_, state).norm_max(), 1e9)
      << "made by newcomers, who may be a crowd";
  state.members = {{PublicKey{}, Role::kMiner, Hash{}, 0, {65535, true}}};
  EXPECT_EQ(ChainHead(params_, run_id_, state).norm_max(), 2000);
  state.medians = {1e30};
  EXPECT_EQ(ChainHead(params_, run_id_, state).norm_max(), 1e9);
}

// Validators with uids from 2 on, with these stakes; each has a Screen in every round.
class ContradictionTest : public ChainHeadTest {
 protected:
  void set_stakes(const std::vector<std::uint64_t>& stakes) {
    open_.roster.resize(2);
    manifest_.screens.clear();
    validators_.clear();
    for (std::size_t i = 0; i < stakes.size(); ++i) {
      const Uid uid{static_cast<std::uint16_t>(2 + i)};
      validators_.push_back(SigningKey(random_seed()).public_key());
      open_.roster.push_back({uid, validators_.back(), Role::kValidator, stakes[i], {}});
      manifest_.screens.push_back({uid, {}, 1});
    }
  }
  void advance(std::vector<Contradiction> contradictions) {
    manifest_.contradictions = std::move(contradictions);
    ASSERT_TRUE(fits_roster(manifest_, open_));
    head_after_.advance(Hash{}, open_, manifest_);
    ASSERT_TRUE(validate(head_after_.state()));
  }
  [[nodiscard]] std::uint64_t weight_of(std::uint16_t uid) const {
    return head_after_.weights(open_).at(Uid{uid});
  }

  std::vector<PublicKey> validators_;
  ChainHead head_after_{params_, run_id_};
};

TEST_F(ContradictionTest, TakesTheVoteOfWhomMoreThanHalfOfTheOtherStakeContradicts) {
  set_stakes({100, 60, 60, 60});
  advance({{Uid{3}, Uid{2}}});
  EXPECT_EQ(weight_of(2), 100u) << "60 of 180";
  advance({{Uid{4}, Uid{2}}});
  EXPECT_EQ(weight_of(2), 0u) << "120 of 180, though in another round";
  EXPECT_EQ(weight_of(3), 60u);
}

TEST_F(ContradictionTest, NeedsMoreWeightThanTheContradictedOneHas) {
  set_stakes({100, 100});
  advance({{Uid{2}, Uid{3}}, {Uid{3}, Uid{2}}});
  EXPECT_EQ(weight_of(2), 100u) << "nobody knows which of two tells the truth";
  EXPECT_EQ(weight_of(3), 100u);
  set_stakes({101, 100});
  advance({{Uid{2}, Uid{3}}, {Uid{3}, Uid{2}}});
  EXPECT_EQ(weight_of(2), 101u);
  EXPECT_EQ(weight_of(3), 0u);
}

TEST_F(ContradictionTest, CountsForSixtyFourRounds) {
  set_stakes({10, 10, 10});
  advance({{Uid{3}, Uid{2}}, {Uid{4}, Uid{2}}});
  for (std::uint64_t round = 1; round < kVoteLostRounds; ++round) advance({});
  EXPECT_EQ(weight_of(2), 0u);
  advance({});
  EXPECT_EQ(weight_of(2), 10u);
  EXPECT_TRUE(head_after_.state().contradictions.empty());
}

TEST_F(ContradictionTest, LeavesTheVotesWhereEverybodyWouldLoseTheirs) {
  set_stakes({10, 10, 10});
  std::vector<Contradiction> all;
  const auto uids = std::to_array<std::uint16_t>({2, 3, 4});
  for (const std::uint16_t by : uids)
    for (const std::uint16_t of : uids)
      if (by != of) all.push_back({Uid{by}, Uid{of}});
  advance(all);
  for (const std::uint16_t uid : uids) EXPECT_EQ(weight_of(uid), 10u);
}

TEST_F(ContradictionTest, IsWorthNothingFromHotkeysWithoutStake) {
  set_stakes({10, 0, 0, 0, 0, 0});
  advance(
      {{Uid{3}, Uid{2}}, {Uid{4}, Uid{2}}, {Uid{5}, Uid{2}}, {Uid{6}, Uid{2}}, {Uid{7}, Uid{2}}});
  EXPECT_EQ(weight_of(2), 10u);
}

TEST_F(ContradictionTest, KeepsSixteenOfOneValidator) {
  set_stakes(std::vector<std::uint64_t>(20, 1));
  for (std::uint16_t of = 3; of < 22; ++of) advance({{Uid{2}, Uid{of}}});
  EXPECT_EQ(head_after_.state().contradictions.size(), kContradictionsKept);
  for (const auto& kept : head_after_.state().contradictions)
    EXPECT_GE(kept.round, Round{3}) << "the newest";
}

TEST_F(ContradictionTest, IsRefusedBetweenWhoAreNoValidators) {
  set_stakes({10, 10});
  for (const Contradiction wrong :
       {Contradiction{Uid{2}, Uid{0}}, {Uid{0}, Uid{2}}, {Uid{2}, Uid{2}}, {Uid{9}, Uid{2}}}) {
    manifest_.contradictions = {wrong};
    EXPECT_EQ(fits_roster(manifest_, open_).error().code, Errc::kMalformed);
  }
}

// Three validators of 10 each, with uids 2 to 4; what is sealed is due two rounds later.
class SealedAssessmentsTest : public ContradictionTest {
 protected:
  SealedAssessmentsTest() {
    params_.verification.sealed_rounds = 2;
    head_after_ = ChainHead(params_, run_id_);
    set_stakes({10, 10, 10});
  }
  [[nodiscard]] Assessment sealed_in(std::uint64_t round) const {
    return {Round{round}, Secret{static_cast<std::uint8_t>(round)}, {}, {}, {}};
  }
  [[nodiscard]] Hash hash_of(const Assessment& assessment) const {
    return assessment_hash(run_id_, validators_[0], assessment);
  }
  // A round in which everybody seals something; the first validator opens these, the others what is
  // due.
  void seal(const std::vector<Assessment>& opened) {
    Screen screen;
    screen.opened = opened;
    screen.assessment = hash_of(sealed_in(head_after_.round().value));
    for (RecordedScreen& each : manifest_.screens) each.opened = 1;
    manifest_.screens[0] = {Uid{2}, screen.assessment,
                            head_after_.opened_by(validators_[0], screen)};
    advance({});
  }
  // The first validator is away for a round.
  void miss_round() {
    const RecordedScreen first = manifest_.screens[0];
    manifest_.screens.erase(manifest_.screens.begin());
    advance({});
    manifest_.screens.insert(manifest_.screens.begin(), first);
  }
  [[nodiscard]] bool has_vote() const { return weight_of(2) == 10; }
};

TEST_F(SealedAssessmentsTest, KeepTheVoteOfWhoOpensThemWhenTheyAreDue) {
  seal({});
  seal({});
  EXPECT_TRUE(head_after_.has_sealed(validators_[0], Round{0}));
  seal({sealed_in(0)});
  EXPECT_FALSE(head_after_.has_sealed(validators_[0], Round{0}));
  seal({sealed_in(1)});
  EXPECT_TRUE(has_vote());
  EXPECT_TRUE(head_after_.state().withheld.empty());
  EXPECT_EQ(head_after_.state().sealed.size(), 6u) << "of two rounds";
}

TEST_F(SealedAssessmentsTest, CostTheVoteOfWhoDoesNotOpenThem) {
  seal({});
  seal({});
  EXPECT_TRUE(has_vote());
  seal({});
  EXPECT_FALSE(has_vote());
  seal({sealed_in(0), sealed_in(1)});
  EXPECT_FALSE(has_vote()) << "it is too late for the first";
  for (std::uint64_t round = 2; round < kVoteLostRounds; ++round) seal({sealed_in(round)});
  EXPECT_FALSE(has_vote());
  seal({sealed_in(kVoteLostRounds)});
  EXPECT_TRUE(has_vote()) << "after as many rounds as a contradiction counts";
}

TEST_F(SealedAssessmentsTest, CostTheVoteOfWhoOpensAnotherThanItSealed) {
  seal({});
  seal({});
  Assessment other = sealed_in(0);
  other.weights.push_back({Uid{0}, 7});
  seal({other});
  EXPECT_FALSE(has_vote());
}

TEST_F(SealedAssessmentsTest, WaitForWhoIsAway) {
  seal({});
  seal({});
  for (int round = 0; round < 5; ++round) miss_round();
  EXPECT_TRUE(has_vote());
  seal({sealed_in(0), sealed_in(1)});
  EXPECT_TRUE(has_vote());
  seal({});
  EXPECT_TRUE(has_vote()) << "nothing was due";
}

TEST_F(SealedAssessmentsTest, CannotBeOutsatByBeingAwayWhenTheyAreDue) {
  seal({});
  seal({});
  miss_round();
  miss_round();
  seal({});
  EXPECT_FALSE(has_vote());
}

TEST_F(SealedAssessmentsTest, MayBeOpenedInPartsTheOldestFirst) {
  seal({});
  seal({});
  miss_round();
  miss_round();
  seal({sealed_in(0)});
  EXPECT_TRUE(head_after_.has_sealed(validators_[0], Round{1}));
  seal({sealed_in(1)});
  EXPECT_TRUE(has_vote());
  EXPECT_FALSE(head_after_.has_sealed(validators_[0], Round{1}));
  seal({sealed_in(5)});
  EXPECT_FALSE(has_vote()) << "the oldest is of round 4";
}

TEST_F(SealedAssessmentsTest, MayBeDueInTheirOwnRound) {
  params_.verification.sealed_rounds = 0;
  head_after_ = ChainHead(params_, run_id_);
  seal({sealed_in(0)});
  EXPECT_TRUE(has_vote());
  EXPECT_TRUE(head_after_.state().sealed.empty());
  seal({sealed_in(0)});
  EXPECT_FALSE(has_vote());
}

TEST_F(SealedAssessmentsTest, LeaveTheVotesWhereHalfOfTheStakeOpensNothing) {
  set_stakes({10, 9, 1});
  seal({});
  seal({});
  seal({});
  EXPECT_TRUE(has_vote()) << "whoever is left must not decide alone";
  set_stakes({10, 10, 1});
  head_after_ = ChainHead(params_, run_id_);
  seal({});
  seal({});
  seal({});
  EXPECT_FALSE(has_vote());
}

TEST_F(SealedAssessmentsTest, AreForgottenAfterAsManyRoundsAsTheyCouldCostTheVote) {
  seal({});
  for (std::uint64_t round = 0; round < kVoteLostRounds; ++round) miss_round();
  EXPECT_FALSE(head_after_.has_sealed(validators_[0], Round{0}));
  EXPECT_LE(head_after_.state().sealed.size(), 6u);
}

}  // namespace
}  // namespace muster::protocol
