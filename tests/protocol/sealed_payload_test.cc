#include "protocol/sealed_payload.h"

#include <gtest/gtest.h>

#include "compression/segmented_blob.h"

namespace muster::protocol {
namespace {

class SealedPayloadTest : public ::testing::Test {
 protected:
  compression::Layout layout_ = compression::Layout::make({{"a", {3, 4096}}}).value();
  compression::PayloadFormat format_{64, compression::ValueFormat::kSign};
  SigningKey miner_{random_seed()}, thief_{random_seed()};
  Hash run_ = sha256(bytes_of("run"));
  PayloadContext context_{run_, Round{4}, miner_.public_key()};
  CipherKey key_ = payload_key(miner_, run_, Round{4});
  compression::Payload payload_ =
      compression::compress(layout_, format_, std::vector<float>(layout_.parameters(), 0.5f))
          .value();
  Bytes blob_ = seal_payload(context_, key_, layout_, payload_);
};

TEST_F(SealedPayloadTest, OpensWithItsKeyInItsContext) {
  EXPECT_EQ(open_payload(context_, key_, layout_, format_, blob_).value(), payload_);
}

TEST_F(SealedPayloadTest, ShowsNothingOfItsContentButTheSegmentLengths) {
  const auto sealed = compression::read_blob(blob_).value();
  ASSERT_EQ(sealed.segments.size(), payload_.segments.size());
  EXPECT_EQ(sealed.segments[0].size(), payload_.segments[0].size());
  EXPECT_NE(sealed.segments[0], payload_.segments[0]);
}

TEST_F(SealedPayloadTest, AnotherMinersCiphertextAndKeyAreWorthless) {
  const PayloadContext stolen{run_, Round{4}, thief_.public_key()};
  EXPECT_FALSE(open_payload(stolen, key_, layout_, format_, blob_));
  EXPECT_NE(payload_key_hash(stolen, key_), payload_key_hash(context_, key_));
}

TEST_F(SealedPayloadTest, IsWorthlessInAnotherRoundOrRun) {
  EXPECT_FALSE(open_payload({run_, Round{5}, miner_.public_key()}, key_, layout_, format_, blob_));
  EXPECT_FALSE(open_payload({sha256(bytes_of("x")), Round{4}, miner_.public_key()}, key_, layout_,
                            format_, blob_));
}

TEST_F(SealedPayloadTest, RefusesAnotherFormatThanTheRounds) {
  for (const auto& other :
       {compression::PayloadFormat{128, compression::ValueFormat::kSign},
        compression::PayloadFormat{64, compression::ValueFormat::kSignMagnitude},
        compression::two_part_format(64, compression::ValueFormat::kSign)})
    EXPECT_EQ(open_payload(context_, key_, layout_, other, blob_).error().code,
              Errc::kInvalidArgument);
}

TEST_F(SealedPayloadTest, UsesAKeyOfItsOwnEveryRound) {
  EXPECT_NE(payload_key(miner_, run_, Round{5}), key_);
  EXPECT_NE(payload_key(thief_, run_, Round{4}), key_);
}

TEST_F(SealedPayloadTest, AggregatesRoundTripAndKnowTheirRound) {
  const Bytes blob = write_aggregate(run_, Round{4}, layout_, payload_);
  EXPECT_EQ(read_aggregate(run_, Round{4}, layout_, format_, blob).value(), payload_);
  EXPECT_EQ(read_aggregate(run_, Round{5}, layout_, format_, blob).error().code, Errc::kWrongRound);
}

}  // namespace
}  // namespace muster::protocol
