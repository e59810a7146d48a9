// What a node keeps of the coordinator's messages for the coordinator itself, and which rounds a
// restored copy sits out.
#include "protocol/follower.h"

#include <gtest/gtest.h>

#include "protocol/sitting_out.h"

namespace muster::protocol {
namespace {

class FollowerTest : public ::testing::Test {
 protected:
  static ProtocolParams params_of(const SigningKey& coordinator) {
    ProtocolParams params;
    params.name = "test";
    params.model = {.d_model = 8,
                    .layers = 1,
                    .heads = 1,
                    .kv_heads = 1,
                    .d_ff = 8,
                    .context = 4,
                    .vocab = 16,
                    .tied = true};
    params.sequences = 1000;
    params.coordinator = coordinator.public_key();
    return params;
  }
  template <class Message>
  Bytes sign(const Message& message) const {
    return sign_message(follower_.head().position(), message, coordinator_);
  }
  // An opening without anybody, of the round that comes.
  Bytes open() const {
    const ChainHead& head = follower_.head();
    RoundOpen open;
    open.state_id = head.state_id();
    open.beacon = head.beacon();
    const auto cursor = fit_cursor(head.cursor(), 0, params_.slice(), params_.sequences);
    open.epoch = cursor.epoch;
    open.cursor = cursor.position;
    return sign(open);
  }
  Bytes manifest() const {
    Manifest manifest;
    manifest.null_round = true;
    return sign(manifest);
  }
  void take(const Bytes& message) {
    const Status taken = follower_.take(message);
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
  }

  const SigningKey coordinator_{random_seed()};
  const ProtocolParams params_ = params_of(coordinator_);
  Follower follower_{params_, sha256(bytes_of("run")), Role::kValidator};
};

TEST_F(FollowerTest, WhatTheCoordinatorSignedIsNewsOnceAndCanBeHandedBack) {
  const Bytes opening = open();
  take(opening);
  take(opening);
  EXPECT_EQ(follower_.take_news(), std::vector<Bytes>{opening});
  EXPECT_TRUE(follower_.take_news().empty());
  const Bytes closed = sign(CommitsClosed{{}, commit_root_of({})});
  take(closed);
  const Bytes sealed = manifest();
  take(sealed);
  EXPECT_EQ(follower_.take_news(), std::vector<Bytes>{closed})
      << "a manifest is kept when it is applied";
  EXPECT_EQ(follower_.signed_after(Phase::kGather), (std::vector<Bytes>{opening, closed, sealed}));
  EXPECT_EQ(follower_.signed_after(Phase::kReveal), std::vector<Bytes>{sealed});
}

TEST_F(FollowerTest, ACoordinatorThatStartedAgainIsHeardOnce) {
  take(sign(RoundResume{Phase::kTrain, 1000}));
  EXPECT_EQ(follower_.take_resume(), Phase::kTrain);
  EXPECT_FALSE(follower_.take_resume().has_value());
}

TEST_F(FollowerTest, ARestoredCopySitsOutTheRoundThatItFindsOpen) {
  SittingOut copy(true);
  copy.start(follower_);
  EXPECT_TRUE(copy.holds(Round{0}));
  take(open());
  EXPECT_TRUE(copy.take(follower_));
  EXPECT_FALSE(copy.take(follower_)) << "said once";
  EXPECT_TRUE(copy.holds(Round{0}));
  EXPECT_FALSE(copy.holds(Round{1}));
  EXPECT_TRUE(copy.is_over(Round{0}));
}

TEST_F(FollowerTest, AnOpeningThatIsInTheCopyIsNotTheOneThatIsOpen) {
  take(open());
  SittingOut copy(true);
  copy.start(follower_);
  EXPECT_FALSE(copy.take(follower_));
  EXPECT_TRUE(copy.holds(Round{7}));
  take(manifest());
  EXPECT_FALSE(copy.take(follower_)) << "over";
  follower_.advance();
  take(open());
  EXPECT_TRUE(copy.take(follower_));
  EXPECT_FALSE(copy.holds(Round{2}));
}

TEST_F(FollowerTest, WhoWasNotRestoredSitsOutNothing) {
  SittingOut node(false);
  node.start(follower_);
  take(open());
  EXPECT_FALSE(node.take(follower_));
  EXPECT_FALSE(node.holds(Round{0}));
}

}  // namespace
}  // namespace muster::protocol
