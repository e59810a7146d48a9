#include "base/sign.h"

#include <sodium.h>

namespace muster {

static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_PUBLICKEYBYTES == 32 &&
              crypto_sign_BYTES == 64);

SigningKey::SigningKey(const Seed& seed) : seed_(seed) {
  MUSTER_CHECK(
      crypto_sign_seed_keypair(public_key_.bytes.data(), expanded_.data(), seed.data()) == 0,
      "Ed25519");
}

Signature SigningKey::sign(ByteSpan message) const {
  Signature signature;
  MUSTER_CHECK(crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                                    expanded_.data()) == 0,
               "Ed25519 signing");
  return signature;
}

bool verify_signature(const PublicKey& key, ByteSpan message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

void system_random(std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); }

Seed random_seed() {
  Seed seed;
  system_random(seed);
  return seed;
}

}  // namespace muster
