#include "protocol/seal_record.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/limits.h"
#include "base/prng.h"
#include "compression/segmented_blob.h"
#include "protocol/signed_message.h"
#include "state/tensor_groups.h"

namespace muster::protocol {
namespace {

SealRecord record() {
  SealRecord record;
  record.outcomes.resize(3);
  for (std::uint16_t i = 0; i < 3; ++i)
    record.outcomes[i] = {Uid{i}, OutcomeCode::kRejected, {}, 1.5, 7, 0.25f, 90};
  record.screens = {{1, 2, 3}, {}};
  record.evidence = {{{1}, {2}}};
  return record;
}

TEST(SealRecord, ComesBackFromItsBlob) {
  const Bytes blob = encode_record(record());
  const auto again = decode_record(blob);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(encode_record(*again), blob);
  EXPECT_EQ(again->screens, record().screens);
  EXPECT_EQ(again->evidence.size(), 1u);
}

TEST(SealRecord, IsRefusedWhenItIsNotOne) {
  EXPECT_FALSE(decode_record({}));
  EXPECT_FALSE(decode_record(compression::write_blob({{}, {}})));
  SealRecord bad = record();
  bad.outcomes[1].norm = std::numeric_limits<double>::infinity();
  EXPECT_EQ(decode_record(encode_record(bad)).error().code, Errc::kNonFinite);
  bad = record();
  bad.outcomes[1].uid = Uid{0};
  EXPECT_EQ(decode_record(encode_record(bad)).error().code, Errc::kMalformed);
  bad = record();
  bad.screens.resize(limits::kRosterMax + 1);
  EXPECT_EQ(decode_record(encode_record(bad)).error().code, Errc::kTooLarge);
}

TEST(SealRecord, DecodesMutatedBytesToNothingOrToWhatEncodesBack) {
  const Bytes original = encode_record(record());
  Prng random(4);
  for (int trial = 0; trial < 20000; ++trial) {
    Bytes bytes = original;
    bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.next_u32());
    if (const auto decoded = decode_record(bytes)) {
      ASSERT_EQ(encode_record(*decoded), bytes) << "trial " << trial;
    }
  }
}

// What follows from the limits: the largest Screen, in its envelope, is no larger than the bound
// says.
TEST(SealRecord, TheLargestScreenIsWithinItsBound) {
  Screen screen;
  screen.entries.resize(limits::kRosterMax);
  Evaluation evaluation;
  evaluation.scores.groups_e3.resize(state::kTensorGroupsMax);
  screen.opened.resize(limits::kOpenedMax);
  for (Assessment& opened : screen.opened) {
    opened.evaluations.resize(limits::kEvaluationsMax / limits::kOpenedMax, evaluation);
    opened.weights.resize(limits::kRosterMax);
    opened.platform_class = std::string(256, 'x');
  }
  screen.reviews.resize(kReviewsMax);
  screen.sealed_copy.resize(limits::kSealedCopyBytesMax);
  EXPECT_LE(sign_message({}, screen, SigningKey(random_seed())).size(), limits::kScreenBytesMax);
}

}  // namespace
}  // namespace muster::protocol
