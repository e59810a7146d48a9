#include "wire/envelope.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

Envelope example() {
  Envelope envelope;
  envelope.type = 3;
  envelope.run_id = sha256(bytes_of("run"));
  envelope.round = Round{5};
  envelope.body = {1, 2, 3};
  return envelope;
}

TEST(Envelope, OpensWhatWasSealedAndNamesTheSender) {
  const SigningKey key(random_seed());
  const Envelope opened = open_envelope(seal_envelope(example(), key)).value();
  EXPECT_EQ(opened.sender, key.public_key());
  EXPECT_EQ(opened.round, Round{5});
  EXPECT_EQ(opened.body, example().body);
}

TEST(Envelope, IsRefusedAfterAnyFlippedBit) {
  const Bytes sealed = seal_envelope(example(), SigningKey(random_seed()));
  for (std::size_t byte = 0; byte < sealed.size(); ++byte) {
    Bytes flipped = sealed;
    flipped[byte] ^= 0x10;
    EXPECT_FALSE(open_envelope(flipped)) << "byte " << byte;
  }
}

TEST(Envelope, NamesBothVersionsWhenItKnowsOnlyItsOwn) {
  Bytes sealed = seal_envelope(example(), SigningKey(random_seed()));
  sealed[0] = 9;
  const auto result = open_envelope(sealed);
  EXPECT_EQ(result.error().code, Errc::kVersion);
  EXPECT_NE(result.error().message.find("version 9"), std::string::npos);
}

TEST(Envelope, SealsToTheSameBytesAgain) {
  const SigningKey key(random_seed());
  EXPECT_EQ(seal_envelope(example(), key), seal_envelope(example(), key))
      << "Ed25519 is deterministic, so re-sending after a crash is not equivocation";
}

}  // namespace
}  // namespace muster::wire
