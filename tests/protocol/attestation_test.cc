#include "protocol/attestation.h"

#include <gtest/gtest.h>

namespace muster::protocol {
namespace {

class AttestationTest : public ::testing::Test {
 protected:
  Position position_{sha256(bytes_of("run")), Round{3}, sha256(bytes_of("manifest"))};
  std::vector<SigningKey> validators_;
  RoundOpen open_;

  void add(std::uint64_t stake, const Hash& theta_root, Hash about) {
    const SigningKey& key = validators_.emplace_back(random_seed());
    const auto uid = static_cast<std::uint16_t>(validators_.size());
    open_.roster.push_back({Uid{uid}, key.public_key(), Role::kValidator, stake, {}});
    open_.attestations.push_back(
        sign_message(position_, Attest{about, Hash{}, theta_root, Hash{}}, key));
  }
};

const Hash kTrue = sha256(bytes_of("true")), kFalse = sha256(bytes_of("false"));

TEST_F(AttestationTest, NeedsMoreThanHalfOfTheStake) {
  add(50, kTrue, position_.parent);
  add(50, kFalse, position_.parent);
  EXPECT_FALSE(majority_attestation(position_, open_).has_value());
  add(1, kTrue, position_.parent);
  EXPECT_EQ(majority_attestation(position_, open_)->theta_root, kTrue);
}

TEST_F(AttestationTest, IgnoresAttestationsAboutAnotherManifest) {
  add(100, kTrue, sha256(bytes_of("another")));
  EXPECT_FALSE(majority_attestation(position_, open_).has_value());
}

TEST_F(AttestationTest, CountsAValidatorOnce) {
  add(40, kTrue, position_.parent);
  add(60, kFalse, sha256(bytes_of("another")));
  open_.attestations.push_back(open_.attestations[0]);
  open_.attestations.push_back(open_.attestations[0]);
  EXPECT_FALSE(majority_attestation(position_, open_).has_value());
}

TEST_F(AttestationTest, IgnoresStrangersAndForgedSignatures) {
  add(100, kTrue, position_.parent);
  open_.attestations[0].back() ^= 1;
  const SigningKey stranger(random_seed());
  open_.attestations.push_back(
      sign_message(position_, Attest{position_.parent, Hash{}, kTrue, Hash{}}, stranger));
  EXPECT_FALSE(majority_attestation(position_, open_).has_value());
}

}  // namespace
}  // namespace muster::protocol
