// The rules of the coordinator's core, one by one, and what it refuses.
#include <array>

#include "base/limits.h"
#include "tests/coordinator/coordinator_fixture.h"

namespace muster::coordinator {
namespace {

using protocol::MessageType;
using protocol::OutcomeCode;
using protocol::Phase;

OutcomeCode outcome_in(const RoundSealed& sealed, std::uint16_t uid) {
  for (const auto& outcome : sealed.record.outcomes)
    if (outcome.uid == Uid{uid}) return outcome.code;
  return OutcomeCode::kMissed;
}

// ---- rounds open

TEST_F(CoordinatorTest, TheFirstRoundWaitsForWhoItWasToldToWaitFor) {
  start_with(2, 1);
  send(0, ready(0));
  send(3, ready(3));
  tick(60'000);
  EXPECT_EQ(core_->phase(), Phase::kGather) << "two miners are wanted";
  send(1, ready(1));
  EXPECT_EQ(core_->phase(), Phase::kTrain);
}

TEST_F(CoordinatorTest, ARoundOpensAtOnceWhenEverybodyExpectedIsReady) {
  all_ready();
  run_round();
  for (std::uint16_t uid = 0; uid < 5; ++uid) send(uid, ready(uid));
  EXPECT_EQ(core_->phase(), Phase::kTrain);
}

TEST_F(CoordinatorTest, OneThatIsAwayCostsTheOthersTheGraceAndNoMore) {
  all_ready();
  run_round();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 3, 4})
    send(uid, ready(uid));
  tick();
  EXPECT_EQ(core_->phase(), Phase::kGather);
  tick(core_->head().grace_ms() - 1);
  EXPECT_EQ(core_->phase(), Phase::kGather);
  tick(1);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
  EXPECT_FALSE(in_roster(2));
}

TEST_F(CoordinatorTest, WithoutAQuorumOfTheValidatorsARoundWaitsForTheHardBound) {
  all_ready();
  run_round();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    send(uid, ready(uid));
  tick(params_.timing.grace_max_ms + 1);
  EXPECT_EQ(core_->phase(), Phase::kGather);
  tick(params_.timing.gather_ms);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
}

TEST_F(CoordinatorTest, WhoIsReadyWhileARoundIsOpenIsInTheNextOne) {
  start_with(2, 1);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 3})
    send(uid, ready(uid));
  ASSERT_EQ(core_->phase(), Phase::kTrain);
  send(2, ready(2));
  send(4, ready(4));
  run_round({0, 1});
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 3})
    send(uid, ready(uid));
  ASSERT_EQ(core_->phase(), Phase::kTrain) << "nobody waits for who has not said so again";
  EXPECT_TRUE(in_roster(2));
  EXPECT_TRUE(in_roster(4));
}

TEST_F(CoordinatorTest, AValidatorThatJoinsThatWayHasPromisedItsSecretInTime) {
  start_with(2, 1);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 3})
    send(uid, ready(uid));
  const Round first = core_->head().round();
  send(4, ready(4));
  run_round({0, 1});
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 3})
    send(uid, ready(uid));
  const auto open = last_open();
  const auto* entry = protocol::find_in_roster(open, key(4).public_key());
  ASSERT_NE(entry, nullptr);
  const Hash& run = core_->head().position().run_id;
  const Round promised = first.next().next();
  EXPECT_EQ(entry->next_secret_hash,
            protocol::secret_hash(run, promised, key(4).public_key(),
                                  protocol::validator_secret(key(4), run, promised)));
}

TEST_F(CoordinatorTest, WhoFollowsARoundIsShownItThoughItIsNotInIt) {
  start_with(2, 1);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 3})
    send(uid, ready(uid));
  sent_.clear();
  send(2, ready(2));
  ASSERT_FALSE(sent_.empty());
  EXPECT_EQ(sent_.front().to, key(2).public_key());
  EXPECT_EQ(wire::message_hash(sent_.front().message),
            wire::message_hash(last_broadcast(MessageType::kRoundOpen)));
}

TEST_F(CoordinatorTest, AReadyThatIsRefusedIsAnsweredWithTheReason) {
  auto wrong = ready(0);
  wrong.role = Role::kLedger;
  send(0, wrong);
  EXPECT_NE(last_refusal().find("a Ready as ledger"), std::string::npos) << last_refusal();
  EXPECT_TRUE(noted("a Ready as ledger"));
  send(0, wrong);
  EXPECT_EQ(sent_.size(), 1u) << "not again at once";
}

TEST_F(CoordinatorTest, WhoIsAtAnotherThetaIsInNoRosterThoughItWasReadyBefore) {
  all_ready();
  run_round();
  send(4, ready(4));
  auto damaged = ready(4);
  damaged.theta_root = Hash{};
  send(4, damaged);
  EXPECT_NE(last_refusal().find("at the same state"), std::string::npos) << last_refusal();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2, 3})
    send(uid, ready(uid));
  EXPECT_EQ(core_->phase(), Phase::kGather);
  send(4, ready(4));
  EXPECT_EQ(core_->phase(), Phase::kTrain);
}

// ---- who may validate

TEST_F(CoordinatorTest, AValidatorWithoutAPermitIsRefusedWithItsStakeAndTheRemedy) {
  auto wrong = ready(0);
  wrong.role = Role::kValidator;
  send(0, wrong);
  for (const char* part : {"(uid 0) may not validate", "a stake of 0 rao",
                           "the end of an epoch gives permits", "`muster ledger stake add`"})
    EXPECT_NE(last_refusal().find(part), std::string::npos) << last_refusal();
  EXPECT_EQ(refused(Errc::kPermission), 1u);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{1, 2, 3, 4})
    send(uid, ready(uid));
  EXPECT_EQ(core_->phase(), Phase::kGather) << "it is not ready";
}

TEST_F(CoordinatorTest, AValidatorWithoutAPermitIsHelpedToCatchUp) {
  all_ready();
  const auto before = core_->head().position();
  run_round();
  auto late = ready(0);
  late.role = Role::kValidator;
  deliver(0, protocol::sign_message(before, late, key(0)));
  ASSERT_EQ(replays_.size(), 1u);
  EXPECT_TRUE(replays_[0].with_closes);
}

TEST_F(CoordinatorTest, APermitThatIsTakenAwayEndsTheRoleAtTheNextRoster) {
  all_ready();
  ASSERT_TRUE(in_roster(4));
  auto view = ledger();
  view.members[4].may_validate = false;
  take(core_->on_ledger(view, now_));
  run_round();
  EXPECT_EQ(sealed_[0].record.screens.size(), 2u) << "of the round that was open";
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2, 3})
    send(uid, ready(uid));
  ASSERT_EQ(core_->phase(), Phase::kTrain) << "nobody waits for it";
  EXPECT_FALSE(in_roster(4));
  send(4, ready(4));
  EXPECT_NE(last_refusal().find("(uid 4) may not validate"), std::string::npos) << last_refusal();
}

TEST_F(CoordinatorTest, APermitThatIsTakenAwayBetweenReadyAndRosterEndsTheRoleToo) {
  send(4, ready(4));
  auto view = ledger();
  view.members[4].may_validate = false;
  take(core_->on_ledger(view, now_));
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2, 3})
    send(uid, ready(uid));
  EXPECT_EQ(core_->phase(), Phase::kGather) << "two validators are needed for the first round";
  start_with(3, 1);
  take(core_->on_ledger(view, now_));
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2, 3})
    send(uid, ready(uid));
  ASSERT_EQ(core_->phase(), Phase::kTrain);
  EXPECT_FALSE(in_roster(4));
}

TEST_F(CoordinatorTest, AMinerWithAPermitStaysAMiner) {
  auto view = ledger();
  view.members[0].stake = 1'000;
  view.members[0].may_validate = true;
  take(core_->on_ledger(view, now_));
  all_ready();
  const auto* entry = protocol::find_in_roster(last_open(), key(0).public_key());
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->role, Role::kMiner);
  run_round();
  EXPECT_EQ(sealed_[0].record.screens.size(), 2u) << "nobody waits for its Screen";
}

TEST_F(CoordinatorTest, ANodeThatIsAheadHearsThatTheCoordinatorsFolderMayBeLost) {
  auto position = core_->head().position();
  position.round = Round{1398};
  deliver(0, protocol::sign_message(position, ready(0), key(0)));
  EXPECT_TRUE(noted("round 1398")) << "in the log";
  EXPECT_TRUE(noted("folder lost"));
}

TEST_F(CoordinatorTest, WhatARoundWaitsForIsSaid) {
  send(0, ready(0));
  tick(params_.timing.gather_ms);
  EXPECT_TRUE(noted("round 0 waits: 1 miners are ready, 3 are needed"));
}

// ---- payloads

TEST_F(CoordinatorTest, ACommitAsksForExactlyTheBlobThatItNames) {
  all_ready();
  const Offer made = offer(0, 1e-2f);
  send(0, made.commit);
  ASSERT_EQ(expected_.size(), 1u);
  EXPECT_EQ(expected_[0].from, key(0).public_key());
  EXPECT_EQ(expected_[0].id, made.commit.payload_id);
  EXPECT_EQ(expected_[0].bytes, made.blob.size());
}

TEST_F(CoordinatorTest, ACommitToABlobThatIsHereAlreadyIsRefused) {
  all_ready();
  const Offer made = offer(0, 1e-2f);
  blobs_[made.commit.payload_id] =
      made.blob;  // as a checkpoint, an aggregate or an earlier payload is
  send(0, made.commit);
  EXPECT_EQ(refused(Errc::kConflict), 1u);
  EXPECT_TRUE(expected_.empty());
}

TEST_F(CoordinatorTest, OnlyWhatTheHotkeyUploadedItselfIsListed) {
  all_ready();
  send(0, offer(0, 1e-2f).commit);
  take(core_->on_blob(key(1).public_key(), offer(0, 1e-2f).commit.payload_id, now_));
  deliver_payload(1);
  deliver_payload(2);
  tick(params_.timing.train_ms);
  ASSERT_TRUE(listed_.has_value());
  EXPECT_EQ(listed_->size(), 2u);
}

TEST_F(CoordinatorTest, ACommitToMoreThanTheFormatAllowsIsRefused) {
  all_ready();
  Offer made = offer(0, 1e-2f);
  made.commit.payload_bytes =
      protocol::sealed_bytes_max(layout_, params_.uplink_format(Round{0})) + 1;
  send(0, made.commit);
  EXPECT_EQ(refused(Errc::kTooLarge), 1u);
  EXPECT_TRUE(expected_.empty());
}

TEST_F(CoordinatorTest, ACommitToTheBlobOfAnotherIsRefused) {
  all_ready();
  const Offer made = offer(0, 1e-2f);
  send(0, made.commit);
  send(1, made.commit);
  EXPECT_EQ(refused(Errc::kConflict), 1u);
  EXPECT_EQ(expected_.size(), 1u);
}

TEST_F(CoordinatorTest, AnUploadThatNoCommitNamesIsNotAcknowledged) {
  all_ready();
  const Offer made = offer(0, 1e-2f);
  sent_.clear();
  take(core_->on_blob(key(0).public_key(), made.commit.payload_id, now_));
  EXPECT_TRUE(sent_.empty());
}

TEST_F(CoordinatorTest, AfterARestartItAsksAgainForUploadsThatHaveNotCome) {
  all_ready();
  const Offer made = offer(0, 1e-2f);
  send(0, made.commit);
  expected_.clear();
  restart();
  ASSERT_EQ(expected_.size(), 1u);
  EXPECT_EQ(expected_[0].id, made.commit.payload_id);
}

TEST_F(CoordinatorTest, NormsBeyondAllBoundsAreTheirMinersOutcome) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1})
    deliver_payload(uid, 1.7e33f);
  deliver_payload(2);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_EQ(outcome_in(sealed_[0], 0), OutcomeCode::kAboveMaximumNorm);
  EXPECT_EQ(outcome_in(sealed_[0], 1), OutcomeCode::kAboveMaximumNorm);
  EXPECT_EQ(outcome_in(sealed_[0], 2), OutcomeCode::kAccepted);
  restart();
  EXPECT_EQ(core_->head().round(), Round{1});
}

TEST_F(CoordinatorTest, NormsAreHeldAgainstTheRoundsBeforeOfProvenMiners) {
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    standings_[Uid{uid}] = {65535, true};
  for (int round = 0; round < 2; ++round) {  // Screens count from the second one on
    all_ready();
    run_round({0, 1, 2}, true, 1e-2f);
  }
  all_ready();
  run_round_in_which_uid_0_sends(1e-2f * 2000);
  ASSERT_EQ(sealed_.size(), 3u);
  EXPECT_EQ(outcome_in(sealed_[2], 0), OutcomeCode::kAboveMaximumNorm);
  EXPECT_EQ(outcome_in(sealed_[2], 1), OutcomeCode::kAccepted);
}

// A crowd of newcomers could send ever smaller ones until those of whoever trains are too large.
TEST_F(CoordinatorTest, NormsAreNotHeldAgainstThoseOfNewcomersAlone) {
  all_ready();
  run_round({0, 1, 2}, true, 1e-2f);
  all_ready();
  run_round_in_which_uid_0_sends(1e-2f * 2000);
  ASSERT_EQ(sealed_.size(), 2u);
  EXPECT_EQ(outcome_in(sealed_[1], 0), OutcomeCode::kAccepted);
  EXPECT_LE(sealed_[1].manifest.clip_norm, 2.01 * sealed_[0].manifest.median_norm) << "but clipped";
}

TEST_F(CoordinatorTest, APayloadThatCannotBeReadIsWaitedForAndSaid) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
  unreadable_ = true;
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  EXPECT_EQ(core_->phase(), Phase::kScreen);
  EXPECT_TRUE(noted("cannot be sealed before its payloads can be read"));
  unreadable_ = false;
  tick(1000);
  EXPECT_EQ(sealed_.size(), 1u);
}

// ---- phases, by weight

class StakeTest : public CoordinatorTest {
 protected:
  // Uids 1 to 7 validate with little stake, 8 with a hundred times as much.
  StakeTest() : CoordinatorTest(1, 8) {
    for (std::uint16_t uid = 1; uid < 8; ++uid) stakes_[uid] = 1;
    start_with(1, 8);
  }
  void reach_screen() {
    deliver_payload(0);
    reveal(0);
    ASSERT_EQ(core_->phase(), Phase::kScreen);
  }
};

TEST_F(StakeTest, ValidatorsWithoutStakeAreRefused) {
  for (std::uint16_t uid = 1; uid < 8; ++uid) stakes_[uid] = 0;
  start_with(1, 1);
  send(0, ready(0));
  for (std::uint16_t uid = 1; uid < 8; ++uid) send(uid, ready(uid));
  EXPECT_EQ(core_->phase(), Phase::kGather);
  EXPECT_EQ(refused(Errc::kPermission), 7u);
  send(8, ready(8));
  ASSERT_EQ(core_->phase(), Phase::kTrain);
  EXPECT_EQ(last_open().roster.size(), 2u);
}

TEST_F(StakeTest, ValidatorsOfLittleStakeAreNoQuorum) {
  all_ready();
  reach_screen();
  for (std::uint16_t uid = 1; uid < 8; ++uid) send(uid, screen(uid));
  tick(params_.timing.screen_ms - 1);
  EXPECT_EQ(core_->phase(), Phase::kScreen);
  send(8, screen(8));
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_EQ(sealed_[0].record.screens.size(), 8u);
}

TEST_F(StakeTest, ValidatorsOfLittleStakeDelayNothingLongerThanTheGrace) {
  all_ready();
  reach_screen();
  send(8, screen(8));
  tick(params_.timing.grace_max_ms);
  EXPECT_EQ(sealed_.size(), 1u);
}

TEST_F(StakeTest, AStakedValidatorThatWasKeptOutTwiceIsWaitedForAllTheSame) {
  all_ready();
  for (int round = 0; round < 3; ++round) {
    reach_screen();
    for (std::uint16_t uid = 1; uid < 8; ++uid) send(uid, screen(uid));
    if (round == 2) break;
    tick(params_.timing.screen_ms);
    for (std::uint16_t uid = 0; uid < 9; ++uid) send(uid, ready(uid));
  }
  tick(params_.timing.screen_ms - 1);
  EXPECT_EQ(core_->phase(), Phase::kScreen);
  send(8, screen(8));
  EXPECT_EQ(sealed_.size(), 3u);
}

class StandingTest : public CoordinatorTest {
 protected:
  static constexpr std::array<std::uint16_t, 2> kGood{0, 1};
  static constexpr std::array<std::uint16_t, 5> kIdle{2, 3, 4, 5, 6};
  StandingTest() : CoordinatorTest(7) {}
  void deliver_all(std::span<const std::uint16_t> uids) {
    for (const std::uint16_t uid : uids) deliver_payload(uid);
  }
  // A round in which only these deliver. The other two are too late.
  void idle_round() {
    deliver_all(kIdle);
    tick(params_.timing.grace_max_ms);
    ASSERT_EQ(core_->phase(), Phase::kReveal);
    for (const std::uint16_t uid : kIdle) reveal(uid);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{7, 8})
      send(uid, screen(uid));
    ASSERT_EQ(core_->phase(), Phase::kGather);
    all_ready();
    ASSERT_EQ(core_->phase(), Phase::kTrain);
  }
  void say_of(std::span<const std::uint16_t> uids, const protocol::Standing& standing) {
    for (const std::uint16_t uid : uids) standings_[Uid{uid}] = standing;
  }
};

TEST_F(StandingTest, NewcomersCountEquallyWhileNobodyIsProven) {
  all_ready();
  deliver_all(kIdle);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
  tick(params_.timing.grace_max_ms);
  EXPECT_EQ(core_->phase(), Phase::kReveal) << "five of seven are a quorum";
}

TEST_F(StandingTest, MinersThatFailedAreNoQuorumHoweverManyTheyAre) {
  all_ready();
  idle_round();
  say_of(kIdle, {0, false});
  idle_round();
  deliver_all(kIdle);
  tick(params_.timing.train_ms - 1);
  EXPECT_EQ(core_->phase(), Phase::kTrain) << "the two missed twice, and hold all the weight";
  deliver_all(kGood);
  EXPECT_EQ(core_->phase(), Phase::kReveal);
}

TEST_F(StandingTest, NewcomersAreNoQuorumBesideTheProven) {
  all_ready();
  say_of(kGood, {65535, true});
  run_round({0, 1, 2, 3, 4, 5, 6});
  all_ready();
  deliver_all(kIdle);
  tick(params_.timing.train_ms - 1);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
  deliver_all(kGood);
  EXPECT_EQ(core_->phase(), Phase::kReveal);
}

TEST_F(StandingTest, NewcomersThatStayAwayCostTheProvenTheGraceAndNoMore) {
  all_ready();
  say_of(kGood, {65535, true});
  run_round({0, 1, 2, 3, 4, 5, 6});
  all_ready();
  deliver_all(kGood);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
  tick(core_->head().grace_ms());
  EXPECT_EQ(core_->phase(), Phase::kReveal);
}

TEST_F(StandingTest, NewcomersDoNotMakeTheClip) {
  all_ready();
  say_of(kGood, {65535, true});
  run_round({0, 1, 2, 3, 4, 5, 6});
  all_ready();
  for (const std::uint16_t uid : kIdle) deliver_payload(uid, 5e-2f);
  deliver_all(kGood);
  for (std::uint16_t uid = 0; uid < 7; ++uid) reveal(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{7, 8}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 2u);
  EXPECT_NEAR(sealed_[1].manifest.median_norm, sealed_[0].manifest.median_norm,
              1e-3 * sealed_[0].manifest.median_norm);
}

TEST_F(StandingTest, NewcomersDoNotStretchTheGrace) {
  all_ready();
  say_of(kGood, {65535, true});
  run_round({0, 1, 2, 3, 4, 5, 6});
  all_ready();
  deliver_all(kGood);
  now_ += 400;
  deliver_all(kIdle);
  for (std::uint16_t uid = 0; uid < 7; ++uid) reveal(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{7, 8}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 2u);
  EXPECT_EQ(sealed_[1].manifest.tail_ms, 0u);
}

// ---- phases

TEST_F(CoordinatorTest, AMessageThatCameInTimeCountsThoughItIsReadAfterTheDeadline) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  ASSERT_EQ(core_->phase(), Phase::kReveal);
  now_ += params_.timing.reveal_ms + 1;  // the process was busy; the keys wait in its queue
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
  EXPECT_EQ(core_->phase(), Phase::kScreen);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_EQ(outcome_in(sealed_[0], 2), OutcomeCode::kAccepted);
}

TEST_F(CoordinatorTest, WhenMostKeysStayedAwayTheRoundIsNobodysEvaluation) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  reveal(0);
  tick(params_.timing.reveal_ms);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_EQ(outcome_in(sealed_[0], 1), OutcomeCode::kKeyWithheld);
  EXPECT_FALSE(sealed_[0].manifest.most_revealed);
}

TEST_F(CoordinatorTest, AKeyThatAnswersAnotherCloseOpensNothing) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1}) reveal(uid);
  const protocol::Position& at = core_->head().position();
  send(2, protocol::Reveal{protocol::payload_key(key(2), at.run_id, at.round),
                           sha256(bytes_of("another close"))});
  tick(params_.timing.reveal_ms);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_EQ(outcome_in(sealed_[0], 2), OutcomeCode::kKeyWithheld);
}

TEST_F(CoordinatorTest, OneKeyWithheldIsAFault) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1}) reveal(uid);
  tick(params_.timing.reveal_ms);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_TRUE(sealed_[0].manifest.most_revealed);
}

TEST_F(CoordinatorTest, WithoutScreensTheRunGoesOnForSomeRoundsAndSaysSo) {
  all_ready();
  run_round({0, 1, 2}, false);
  EXPECT_TRUE(noted("round 0 was sealed without a Screen"));
}

TEST_F(CoordinatorTest, AfterTooManyUnscreenedRoundsItWaitsForAValidator) {
  all_ready();
  for (int round = 0; round < 3; ++round) {
    run_round({0, 1, 2}, false);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
      send(uid, ready(uid));
    tick(params_.timing.gather_ms);
  }
  EXPECT_EQ(core_->phase(), Phase::kGather);
  tick(params_.timing.gather_ms);
  EXPECT_EQ(core_->phase(), Phase::kGather);
  EXPECT_TRUE(noted("so one with stake is needed"));
  send(3, ready(3));
  tick(params_.timing.gather_ms);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
}

TEST_F(CoordinatorTest, AfterThreeNullRoundsItNamesTheRuleAndWhomItRejected) {
  all_ready();
  run_round();  // no secret was promised before round 0, so nobody's word counts in it
  for (int round = 0; round < 3; ++round) {
    for (std::uint16_t uid = 0; uid < 5; ++uid) send(uid, ready(uid));
    tick(params_.timing.pause_max_ms);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
      deliver_payload(uid);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) {
      auto rejecting = screen(uid);
      for (std::uint16_t miner = 0; miner < 3; ++miner)
        rejecting.entries.push_back({Uid{miner}, true, 0, protocol::Verdict::kReplay, 0, 0});
      send(uid, rejecting);
    }
    EXPECT_TRUE(sealed_.back().manifest.null_round) << round;
    EXPECT_EQ(noted("rounds in a row had too few accepted payloads"), round == 2) << round;
  }
  ASSERT_EQ(sealed_.size(), 4u);
  EXPECT_TRUE(sealed_[3].manifest.null_round);
  EXPECT_TRUE(noted("rejected: replay: uid 0, 1, 2"));
}

// ---- what a manifest rests on

TEST_F(CoordinatorTest, AManifestStaysSmallWhateverValidatorsSend) {
  all_ready();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) {
    auto huge = screen(uid);
    protocol::Assessment opened;
    for (std::uint32_t i = 0; i < limits::kEvaluationsMax; ++i)
      opened.evaluations.push_back({Uid{static_cast<std::uint16_t>(i)}, Round{0}});
    huge.opened.push_back(std::move(opened));
    auto other = huge;
    other.assessment.bytes[0] ^= 1;
    deliver(uid, signed_by(uid, huge));
    if (core_->phase() == Phase::kScreen) deliver(uid, signed_by(uid, other));
  }
  ASSERT_EQ(sealed_.size(), 1u);
  EXPECT_LT(last_broadcast(MessageType::kManifest).size(), 1024u);
  EXPECT_GT(blobs_.at(sealed_[0].manifest.record_id).size(), 2u * 90'000);
  restart();
  EXPECT_EQ(core_->head().round(), Round{1});
}

TEST_F(CoordinatorTest, WhoIsBehindGetsTheRoundsThatItsRoleNeeds) {
  all_ready();
  const auto first = core_->head().position();
  run_round();
  deliver(0, protocol::sign_message(first, ready(0), key(0)));
  deliver(3, protocol::sign_message(first, ready(3), key(3)));
  ASSERT_EQ(replays_.size(), 2u);
  EXPECT_FALSE(replays_[0].with_closes) << "a miner applies the aggregate, no more";
  EXPECT_TRUE(replays_[1].with_closes);
}

// ---- disputes

class DisputeTest : public CoordinatorTest {
 protected:
  DisputeTest() { all_ready(); }
  std::size_t kept() const {
    return static_cast<std::size_t>(std::ranges::count_if(journal_, [](const Bytes& record) {
      return is_a(wire::reread_envelope(record).value(), MessageType::kDispute);
    }));
  }
  // Two different closes of the round, as a lying coordinator would sign them.
  protocol::Dispute forked() const {
    protocol::CommitsClosed one{{}, protocol::commit_root_of({})}, other{{}, Hash{}};
    const auto& at = core_->head().position();
    return {protocol::DisputeReason::kForkedClose,
            {},
            {},
            {protocol::sign_message(at, one, coordinator_),
             protocol::sign_message(at, other, coordinator_)}};
  }
};

TEST_F(DisputeTest, AProofThatHoldsIsKeptOnceAndSentToNobody) {
  broadcast_.clear();
  send(0, forked());
  send(1, forked());
  EXPECT_EQ(kept(), 1u);
  EXPECT_TRUE(broadcast_.empty());
}

TEST_F(DisputeTest, ARosterIsDisputedWithTheRoundOpenThatHasIt) {
  const Bytes open = last_broadcast(MessageType::kRoundOpen);
  send(0, protocol::Dispute{
              protocol::DisputeReason::kRoster, {}, {}, {signed_by(0, protocol::Commit{})}});
  EXPECT_EQ(kept(), 0u);
  send(1, protocol::Dispute{protocol::DisputeReason::kRoster, {}, {}, {open}});
  EXPECT_EQ(kept(), 1u);
}

TEST_F(DisputeTest, WhatProvesNothingIsNotKept) {
  send(0, protocol::Dispute{protocol::DisputeReason::kForkedClose, {}, {}, {}});
  send(1, protocol::Dispute{protocol::DisputeReason::kAggregate, {}, {}, {signed_by(1, ready(1))}});
  auto twice = forked();
  twice.proof[1] = twice.proof[0];
  send(2, twice);
  EXPECT_EQ(kept(), 0u);
  EXPECT_EQ(refused(Errc::kMalformed), 3u);
}

TEST_F(DisputeTest, AHotkeyIsHeardOnceARound) {
  send(0, protocol::Dispute{protocol::DisputeReason::kForkedClose, {}, {}, {}});
  send(0, forked());
  EXPECT_EQ(kept(), 0u);
  EXPECT_EQ(refused(Errc::kPermission), 1u);
}

TEST_F(DisputeTest, ADisputeAboutARoundThatIsLongOverIsRefused) {
  const auto old = core_->head().position();
  run_round();
  all_ready();
  run_round();
  all_ready();
  deliver(0, protocol::sign_message(old, forked(), key(0)));
  EXPECT_EQ(kept(), 0u);
  EXPECT_EQ(refused(Errc::kWrongRound), 1u);
}

TEST_F(DisputeTest, ALargeOneIsRefusedBeforeItIsRead) {
  protocol::Dispute large = forked();
  for (int i = 0; i < 8; ++i) large.proof.push_back(Bytes(limits::kDisputeBytesMax / 8));
  send(0, large);
  EXPECT_EQ(refused(Errc::kTooLarge), 1u);
}

TEST_F(CoordinatorTest, AnAttestationOfWhoMayNotValidateIsNotKept) {
  all_ready();
  run_round();
  const std::size_t before = journal_.size();
  const protocol::Attest attest{
      core_->head().position().parent, core_->head().state_id(), {}, {}, {}};
  auto view = ledger();
  view.members[3].may_validate = false;
  take(core_->on_ledger(view, now_));
  send(3, attest);
  EXPECT_EQ(journal_.size(), before);
  send(4, attest);
  EXPECT_EQ(journal_.size(), before + 1);
}

}  // namespace
}  // namespace muster::coordinator
