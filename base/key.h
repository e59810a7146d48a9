// Hotkey files, and the CURVE key pair that follows from a hotkey.
//
// One key is identity, signature and channel: the X25519 pair that ZeroMQ's CURVE uses is the
// Ed25519 pair mapped as libsodium does (crypto_sign_ed25519_{pk,sk}_to_curve25519). Thread safety:
// pure functions, but for the files they touch.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "base/sign.h"

namespace muster {

struct CurveKeyPair {
  std::array<std::uint8_t, 32> public_key{};
  std::array<std::uint8_t, 32> secret_key{};
};

// Writes a key file of mode 0600 and syncs it. Errors: kAlreadyExists (never overwrites), kIo.
[[nodiscard]] Status write_key_file(const std::filesystem::path& path, const SigningKey& key);

// Errors: kNotFound, kPermission (readable or writable by others; the message says the chmod),
// kVersion, kMalformed.
[[nodiscard]] Result<SigningKey> read_key_file(const std::filesystem::path& path);

[[nodiscard]] CurveKeyPair curve_key_pair(const SigningKey& key);
// Errors: kMalformed (not a point of the curve, or of small order).
[[nodiscard]] Result<std::array<std::uint8_t, 32>> curve_public_key(const PublicKey& key);

}  // namespace muster
