#include "base/sign.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster {
namespace {

SigningKey key_from_hex(std::string_view hex) {
  const Bytes raw = from_hex(hex).value();
  Seed seed;
  std::copy(raw.begin(), raw.end(), seed.begin());
  return SigningKey(seed);
}

// RFC 8032 §7.1, tests 1 and 2.
TEST(Ed25519, MatchesRfc8032) {
  const SigningKey one =
      key_from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  EXPECT_EQ(one.public_key().hex(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(one.sign({}).bytes),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  const SigningKey two =
      key_from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const Bytes message{0x72};
  EXPECT_EQ(to_hex(two.sign(message).bytes),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519, VerifiesOnlyTheSignedMessageUnderTheSignersKey) {
  const SigningKey alice(random_seed()), bob(random_seed());
  const Signature signature = alice.sign(bytes_of("pay the miner"));
  EXPECT_TRUE(verify_signature(alice.public_key(), bytes_of("pay the miner"), signature));
  EXPECT_FALSE(verify_signature(alice.public_key(), bytes_of("pay the minor"), signature));
  EXPECT_FALSE(verify_signature(bob.public_key(), bytes_of("pay the miner"), signature));
  Signature flipped = signature;
  flipped.bytes[40] ^= 1;
  EXPECT_FALSE(verify_signature(alice.public_key(), bytes_of("pay the miner"), flipped));
}

TEST(Ed25519, RefusesAKeyThatIsNoPoint) {
  PublicKey nonsense;
  nonsense.bytes.fill(0xff);
  EXPECT_FALSE(verify_signature(nonsense, bytes_of("x"), Signature{}));
}

}  // namespace
}  // namespace muster
