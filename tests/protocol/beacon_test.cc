#include "protocol/beacon.h"

#include <gtest/gtest.h>

namespace muster::protocol {
namespace {

const Hash kRun = sha256(bytes_of("run"));

TEST(Beacon, DependsOnEverySecretAndItsOwner) {
  Secret a{}, b{};
  a.fill(1);
  b.fill(2);
  const Hash start = first_beacon(kRun);
  const Hash both = next_beacon(start, {{Uid{1}, a}, {Uid{2}, b}});
  EXPECT_NE(both, next_beacon(start, {{Uid{1}, a}}));
  EXPECT_NE(both, next_beacon(start, {{Uid{1}, b}, {Uid{2}, a}}));
  EXPECT_NE(both, next_beacon(start, {{Uid{1}, a}, {Uid{3}, b}}));
}

TEST(Beacon, MovesOnWithoutAnySecret) {
  EXPECT_NE(next_beacon(first_beacon(kRun), {}), first_beacon(kRun));
}

TEST(ValidatorSecret, SurvivesACrashAndDiffersByRoundAndRun) {
  const SigningKey key(random_seed());
  EXPECT_EQ(validator_secret(key, kRun, Round{3}), validator_secret(key, kRun, Round{3}));
  EXPECT_NE(validator_secret(key, kRun, Round{3}), validator_secret(key, kRun, Round{4}));
  EXPECT_NE(validator_secret(key, kRun, Round{3}),
            validator_secret(key, sha256(bytes_of("other")), Round{3}));
}

TEST(SecretHash, BindsRoundAndValidator) {
  const SigningKey alice(random_seed()), bob(random_seed());
  const Secret secret = validator_secret(alice, kRun, Round{1});
  const Hash hash = secret_hash(kRun, Round{1}, alice.public_key(), secret);
  EXPECT_NE(hash, secret_hash(kRun, Round{2}, alice.public_key(), secret));
  EXPECT_NE(hash, secret_hash(kRun, Round{1}, bob.public_key(), secret));
}

}  // namespace
}  // namespace muster::protocol
