#include "base/sign.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace muster {
namespace {

using KeyHandle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

}  // namespace

SigningKey::SigningKey(const Seed& seed) : seed_(seed) {
  EVP_PKEY* key =
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size());
  MUSTER_CHECK(key != nullptr, "Ed25519 is missing from OpenSSL");
  handle_ = std::shared_ptr<void>(key, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
  std::size_t length = public_key_.bytes.size();
  MUSTER_CHECK(EVP_PKEY_get_raw_public_key(key, public_key_.bytes.data(), &length) == 1, "Ed25519");
}

Signature SigningKey::sign(ByteSpan message) const {
  DigestHandle context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Signature signature;
  std::size_t length = signature.bytes.size();
  MUSTER_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                                  static_cast<EVP_PKEY*>(handle_.get())) == 1 &&
                   EVP_DigestSign(context.get(), signature.bytes.data(), &length, message.data(),
                                  message.size()) == 1,
               "Ed25519 signing");
  return signature;
}

bool verify_signature(const PublicKey& key, ByteSpan message, const Signature& signature) {
  KeyHandle handle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(),
                                               key.bytes.size()),
                   &EVP_PKEY_free);
  if (!handle) return false;
  DigestHandle context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.bytes.data(), signature.bytes.size(),
                          message.data(), message.size()) == 1;
}

void system_random(std::span<std::uint8_t> out) {
  MUSTER_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "no random bytes");
}

Seed random_seed() {
  Seed seed;
  system_random(seed);
  return seed;
}

}  // namespace muster
