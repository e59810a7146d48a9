#include "protocol/assessment.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::protocol {
namespace {

SigningKey key_of(std::uint8_t n) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = n;
  return SigningKey(seed);
}

Assessment assessment_of(Round round) {
  return {round,
          assessment_salt(key_of(1), Hash{}, round),
          {{Uid{3}, Round{6}}},
          {{Uid{3}, 500}},
          "class"};
}

Hash hash_of(const Assessment& assessment) {
  return assessment_hash(Hash{}, key_of(1).public_key(), assessment);
}

TEST(Assessment, IsSealedWithAllThatItSays) {
  const Assessment sealed = assessment_of(Round{7});
  EXPECT_EQ(hash_of(sealed), hash_of(assessment_of(Round{7})));
  auto changed = sealed;
  changed.weights.front().weight ^= 1;
  EXPECT_NE(hash_of(changed), hash_of(sealed));
  changed = sealed;
  changed.evaluations.front().gate_passed = true;
  EXPECT_NE(hash_of(changed), hash_of(sealed));
  changed = sealed;
  changed.platform_class = "other";
  EXPECT_NE(hash_of(changed), hash_of(sealed));
  EXPECT_NE(assessment_hash(Hash{}, key_of(2).public_key(), sealed), hash_of(sealed))
      << "another validator's";
}

// Few weights are possible: without a salt anybody could try them all.
TEST(Assessment, HasASaltThatOnlyItsValidatorKnows) {
  const Hash run = tagged_hash("a run", {});
  EXPECT_NE(assessment_salt(key_of(1), Hash{}, Round{1}),
            assessment_salt(key_of(1), Hash{}, Round{2}));
  EXPECT_NE(assessment_salt(key_of(1), Hash{}, Round{1}),
            assessment_salt(key_of(2), Hash{}, Round{1}));
  EXPECT_NE(assessment_salt(key_of(1), Hash{}, Round{1}),
            assessment_salt(key_of(1), run, Round{1}));
}

Screen screen_of(const Assessment& assessment) {
  Screen screen;
  screen.assessment = hash_of(assessment);
  screen.sealed_copy = seal_copy(key_of(1), Hash{}, assessment);
  return screen;
}

TEST(Assessment, ComesBackFromItsCopyForWhoHasTheKey) {
  const Assessment sealed = assessment_of(Round{7});
  const Screen screen = screen_of(sealed);
  EXPECT_EQ(open_copy(key_of(1), Hash{}, Round{7}, screen).value(), sealed);
  EXPECT_FALSE(open_copy(key_of(2), Hash{}, Round{7}, screen)) << "another validator";
  EXPECT_FALSE(open_copy(key_of(1), Hash{}, Round{8}, screen)) << "another round";
  EXPECT_FALSE(open_copy(key_of(1), tagged_hash("a run", {}), Round{7}, screen)) << "another run";
}

TEST(Assessment, ShowsNothingOfItselfInItsCopy) {
  Assessment sealed = assessment_of(Round{7});
  sealed.platform_class = "a platform class that anybody would recognize";
  const Bytes copy = seal_copy(key_of(1), Hash{}, sealed);
  EXPECT_EQ(std::ranges::search(copy, sealed.platform_class).size(), 0u);
}

TEST(Assessment, IsNotTakenFromACopyOfAnother) {
  Screen screen = screen_of(assessment_of(Round{7}));
  screen.assessment = hash_of(assessment_of(Round{6}));
  EXPECT_EQ(open_copy(key_of(1), Hash{}, Round{7}, screen).error().code, Errc::kConflict);
  screen.sealed_copy.clear();
  EXPECT_FALSE(open_copy(key_of(1), Hash{}, Round{7}, screen));
}

TEST(Assessment, HasNoCopyWhereThatWouldBeLongerThanAScreenMayCarry) {
  Assessment large = assessment_of(Round{7});
  for (std::uint16_t uid = 4; uid < 4000; ++uid) large.evaluations.push_back({Uid{uid}, Round{6}});
  EXPECT_TRUE(seal_copy(key_of(1), Hash{}, large).empty());
}

TEST(Assessment, IsOpenedAfterTheRunsRoundsOrInItsLastOne) {
  ProtocolParams params;
  params.verification.sealed_rounds = 3;
  EXPECT_EQ(opened_in(params, Round{5}), Round{8});
  params.rounds = 7;
  EXPECT_EQ(opened_in(params, Round{2}), Round{5});
  EXPECT_EQ(opened_in(params, Round{5}), Round{6});
  EXPECT_EQ(opened_in(params, Round{6}), Round{6});
  params.verification.sealed_rounds = 0;
  EXPECT_EQ(opened_in(params, Round{2}), Round{2});
}

}  // namespace
}  // namespace muster::protocol
