// AES-256-CTR (NIST SP 800-38A) and HKDF-SHA-256 (RFC 5869), from OpenSSL.
//
// CTR gives secrecy only; everything enciphered with it here is also content-addressed by its
// ciphertext and bound to its key by a signed commit, which is what detects tampering.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace muster {

using CipherKey = std::array<std::uint8_t, 32>;
using CipherIv = std::array<std::uint8_t, 16>;

// Enciphers or deciphers `data` in place.
void aes256_ctr(const CipherKey& key, const CipherIv& iv, std::span<std::uint8_t> data);

// Fills `out` (at most 8160 bytes). An empty salt means 32 zero bytes.
void hkdf_sha256(ByteSpan secret, ByteSpan salt, ByteSpan info, std::span<std::uint8_t> out);

}  // namespace muster
