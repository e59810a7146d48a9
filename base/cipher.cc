#include "base/cipher.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

namespace muster {

void aes256_ctr(const CipherKey& key, const CipherIv& iv, std::span<std::uint8_t> data) {
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                          &EVP_CIPHER_CTX_free);
  MUSTER_CHECK(
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, key.data(), iv.data()) == 1,
      "AES-256-CTR");
  constexpr std::size_t kStep = 1u << 30;  // OpenSSL counts in int
  for (std::size_t offset = 0; offset < data.size(); offset += kStep) {
    const auto count = static_cast<int>(std::min(kStep, data.size() - offset));
    int written = 0;
    MUSTER_CHECK(EVP_EncryptUpdate(context.get(), data.data() + offset, &written,
                                   data.data() + offset, count) == 1 &&
                     written == count,
                 "AES-256-CTR");
  }
}

void hkdf_sha256(ByteSpan secret, ByteSpan salt, ByteSpan info, std::span<std::uint8_t> out) {
  std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr),
                                                        &EVP_KDF_free);
  std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()),
                                                                    &EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  auto octets = [](const char* name, ByteSpan bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
  };
  const std::uint8_t nothing = 0;  // OpenSSL wants a pointer even for no bytes
  auto present = [&](ByteSpan bytes) { return bytes.empty() ? ByteSpan(&nothing, 0) : bytes; };
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      octets(OSSL_KDF_PARAM_KEY, present(secret)), octets(OSSL_KDF_PARAM_SALT, present(salt)),
      octets(OSSL_KDF_PARAM_INFO, present(info)), OSSL_PARAM_construct_end()};
  MUSTER_CHECK(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1, "HKDF");
}

}  // namespace muster
