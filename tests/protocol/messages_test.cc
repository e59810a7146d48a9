#include "protocol/messages.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "protocol/round_record.h"

namespace muster::protocol {
namespace {

TEST(Messages, RosterMustAscendByUid) {
  RoundOpen open;
  open.roster.resize(2);
  EXPECT_EQ(validate(open).error().code, Errc::kMalformed) << "uid 0 twice";
  open.roster[1].uid = Uid{1};
  EXPECT_TRUE(validate(open));
}

TEST(Messages, ManifestNumbersMustBeFinite) {
  SealRecord record;
  record.outcomes.resize(1);
  record.outcomes[0].norm = NAN;
  EXPECT_EQ(validate(record).error().code, Errc::kNonFinite);
  record.outcomes[0].norm = 1;
  EXPECT_TRUE(validate(record));
  Manifest manifest;
  manifest.clip_norm = INFINITY;
  EXPECT_FALSE(validate(manifest));
}

TEST(Messages, AManifestsValidatorsMustAscend) {
  Manifest manifest;
  manifest.screens = {{Uid{3}, {}}, {Uid{3}, {}}};
  EXPECT_EQ(validate(manifest).error().code, Errc::kMalformed);
  manifest.screens = {{Uid{3}, {}}, {Uid{4}, {}}};
  EXPECT_TRUE(validate(manifest));
}

TEST(Messages, AManifestHasAStandingForEachOutcome) {
  Manifest manifest;
  manifest.codes = {OutcomeCode::kAccepted};
  EXPECT_EQ(validate(manifest).error().code, Errc::kMalformed);
  manifest.standings.resize(1);
  EXPECT_TRUE(validate(manifest));
}

TEST(Messages, ARoundMessageOfAnotherRunOrRoundIsRefusedByName) {
  const SigningKey key(random_seed());
  const Position here{sha256(bytes_of("run")), Round{1}, Hash{}};
  const Bytes bytes = sign_message(here, Commit{}, key);
  EXPECT_TRUE(open_at<Commit>(bytes, here));
  EXPECT_EQ(open_at<Commit>(bytes, {Hash{}, Round{1}, Hash{}}).error().code, Errc::kWrongRun);
  EXPECT_EQ(open_at<Commit>(bytes, {here.run_id, Round{2}, Hash{}}).error().code,
            Errc::kWrongRound);
  EXPECT_EQ(open_at<Reveal>(bytes, here).error().code, Errc::kMalformed);
}

TEST(Evidence, NeedsTwoDifferentSignedMessagesOfOneSenderAndPlace) {
  const SigningKey alice(random_seed()), bob(random_seed());
  const Position here{sha256(bytes_of("run")), Round{1}, Hash{}};
  Commit one, two;
  two.inner_steps = 1;
  const Bytes first = sign_message(here, one, alice), second = sign_message(here, two, alice);
  EXPECT_TRUE(proves_equivocation({first, second}));
  EXPECT_FALSE(proves_equivocation({first, first})) << "the same message twice is no lie";
  EXPECT_FALSE(proves_equivocation({first, sign_message(here, two, bob)}));
  EXPECT_FALSE(
      proves_equivocation({first, sign_message({here.run_id, Round{2}, Hash{}}, two, alice)}));
  EXPECT_FALSE(proves_equivocation({sign_message(here, Ready{}, alice),
                                    sign_message(here, Ready{.role = Role::kValidator}, alice)}))
      << "Ready may change within a round";
}

TEST(Messages, BoundReviewsAndContradictions) {
  Screen screen;
  for (std::uint64_t round = 0; round < kReviewsMax; ++round)
    screen.reviews.push_back({PublicKey{}, Round{round}, Uid{1}, true});
  EXPECT_TRUE(validate(screen));
  std::swap(screen.reviews[0], screen.reviews[1]);
  EXPECT_EQ(validate(screen).error().code, Errc::kMalformed);
  std::swap(screen.reviews[0], screen.reviews[1]);
  screen.reviews.push_back({PublicKey{}, Round{99}, Uid{1}, true});
  EXPECT_EQ(validate(screen).error().code, Errc::kTooLarge);
  screen.reviews.clear();
  screen.sealed_copy.resize(limits::kSealedCopyBytesMax + 1);
  EXPECT_EQ(validate(screen).error().code, Errc::kTooLarge);

  Manifest manifest;
  manifest.screens = {{Uid{3}, {}}};
  manifest.contradictions.assign(2, {Uid{3}, Uid{4}});
  EXPECT_EQ(validate(manifest).error().code, Errc::kMalformed) << "one twice";
  manifest.contradictions.clear();
  for (std::uint16_t of = 4; of < 4 + kReviewsMax + 1; ++of)
    manifest.contradictions.push_back({Uid{3}, Uid{of}});
  EXPECT_EQ(validate(manifest).error().code, Errc::kTooLarge);
}

TEST(Messages, DecodeMutatedManifestsToNothingOrToWhatEncodesBack) {
  Manifest manifest;
  manifest.codes = {OutcomeCode::kAccepted, OutcomeCode::kMissed, OutcomeCode::kAboveMaximumNorm};
  manifest.standings = {{65535, true}, {}, {0, false}};
  manifest.screens = {{Uid{3}, sha256(bytes_of("assessment")), 1}, {Uid{9}, {}}};
  manifest.tail_ms = 70;
  manifest.median_drop_e6 = -3;
  manifest.contradictions = {{Uid{3}, Uid{9}}};
  const Bytes original = wire::encode(manifest);
  Prng random(12);
  for (int trial = 0; trial < 20000; ++trial) {
    Bytes bytes = original;
    bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.next_u32());
    const auto decoded = wire::decode<Manifest>(bytes, "manifest");
    if (!decoded) continue;
    ASSERT_EQ(wire::encode(*decoded), bytes) << "trial " << trial;
  }
}

}  // namespace
}  // namespace muster::protocol
