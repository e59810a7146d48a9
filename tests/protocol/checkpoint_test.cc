#include "protocol/checkpoint.h"

#include "base/limits.h"
#include "tests/protocol/joining_fixture.h"

namespace muster::protocol {
namespace {

// What a checkpoint takes on the wire fits its bound, also where the lengths of its segments are
// megabytes.
TEST(StateBytesMax, HoldsACheckpointOfATrillionParameters) {
  const auto layout = compression::Layout::make({{"a", {1'000'000, 1'000'000}}}).value();
  const std::uint64_t lengths = 2ull * 8 * layout.segment_count();
  EXPECT_GT(lengths, 3u << 20);
  EXPECT_GE(state_bytes_max(layout), 8'000'000'000'000u + lengths + (1u << 20));
  EXPECT_LE(state_bytes_max(layout), limits::kBlobBytesMax);
}

TEST_F(JoiningTest, TakesAStateThatTheMajorityOfTheStakeAttests) {
  ASSERT_TRUE(joining_.take_offer(offer(truth(), {&alice_})));
  EXPECT_FALSE(joining_.wanted().has_value()) << "not before the stakes are known";
  EXPECT_EQ(joining_.take_stakes(stakes_).value(), sha256(bytes_of("blob")));
  EXPECT_EQ(joining_.wanted(), sha256(bytes_of("blob")));
  const AgreedState state = joining_.take_blob(params_, layout_, blob()).value();
  EXPECT_EQ(state.theta, theta_);
  EXPECT_EQ(state.downlink_residual, residual_);
  EXPECT_EQ(wire::encode(state.head), wire::encode(head_));
}

TEST_F(JoiningTest, DoesNotBelieveLessThanHalfOfTheStakeOnTheLedger) {
  ASSERT_TRUE(joining_.take_offer(offer(truth(), {&bob_, &stranger_})));
  const auto refused = joining_.take_stakes(stakes_);
  EXPECT_EQ(refused.error().code, Errc::kPermission);
  EXPECT_FALSE(joining_.wanted().has_value());
}

TEST_F(JoiningTest, RefusesEveryStateThatIsNotTheAttestedOne) {
  const Attest attested = truth();
  const Bytes honest = blob();
  const std::function<void()> changes[] = {[&] { theta_[3] += 1; },
                                           [&] { residual_[3] += 1; },
                                           [&] { head_.beacon.bytes[0] ^= 1; },
                                           [&] { head_.cursor += 1; },
                                           [&] { head_.medians[0] = 9; },
                                           [&] { head_.members[0].missed_in_a_row = 0; },
                                           [&] { head_.members.clear(); }};
  for (const auto& change : changes) {
    const auto theta = theta_, residual = residual_;
    const HeadState head = head_;
    Joining joining;
    ASSERT_TRUE(joining.take_offer(offer(attested, {&alice_, &bob_})));
    ASSERT_TRUE(joining.take_stakes(stakes_));
    change();
    EXPECT_EQ(joining.take_blob(params_, layout_, blob()).error().code, Errc::kBadHash);
    theta_ = theta, residual_ = residual, head_ = head;
    EXPECT_TRUE(joining.take_blob(params_, layout_, honest)) << "the honest blob still counts";
  }
}

TEST_F(JoiningTest, RefusesAStateOfAnotherPositionThanTheOffers) {
  ASSERT_TRUE(joining_.take_offer(offer(truth(), {&alice_})));
  ASSERT_TRUE(joining_.take_stakes(stakes_));
  head_.round = Round{6};
  EXPECT_EQ(joining_.take_blob(params_, layout_, blob()).error().code, Errc::kBadHash);
}

TEST_F(JoiningTest, TakesOnlyANewerOffer) {
  ASSERT_TRUE(joining_.take_offer(offer(truth(), {&alice_})));
  EXPECT_FALSE(joining_.take_offer(offer(truth(), {&alice_}))) << "the same again";
  head_.round = Round{9};
  EXPECT_TRUE(joining_.take_offer(offer(truth(), {&alice_})));
}

TEST_F(JoiningTest, TakesNoneAfterARefusalBeforeItHasReplayedSomeRounds) {
  joining_.refuse(Round{5});
  EXPECT_FALSE(joining_.takes_checkpoint(Round{20}));
  EXPECT_TRUE(joining_.takes_checkpoint(Round{21}));
  joining_.refuse_for_good();
  EXPECT_FALSE(joining_.takes_checkpoint(Round{1'000'000'000}));
}

TEST_F(JoiningTest, ABlobIsNeverLargerThanTheLimitThatFollowersFetch) {
  EXPECT_LE(blob().size(), state_bytes_max(layout_));
}

TEST_F(JoiningTest, RefusesEveryCutAndEveryFlippedByteOfABlob) {
  const Bytes good = blob();
  ASSERT_TRUE(joining_.take_offer(offer(truth(), {&alice_})));
  ASSERT_TRUE(joining_.take_stakes(stakes_));
  for (std::size_t size = 0; size < good.size(); size += 7)
    EXPECT_FALSE(joining_.take_blob(params_, layout_, ByteSpan(good).first(size)).has_value())
        << size;
  for (std::size_t i = 0; i < good.size(); i += 5) {
    Bytes bad = good;
    bad[i] ^= 0x10;
    EXPECT_FALSE(joining_.take_blob(params_, layout_, bad).has_value()) << "byte " << i;
  }
}

}  // namespace
}  // namespace muster::protocol
