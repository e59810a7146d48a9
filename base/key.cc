#include "base/key.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "base/file.h"

namespace muster {
namespace {

constexpr std::string_view kHeader = "muster-hotkey 1\n";
constexpr std::size_t kKeyFileBytesMax = 256;

}  // namespace

Status write_key_file(const std::filesystem::path& path, const SigningKey& key) {
  std::string text(kHeader);
  text += to_hex(key.seed());
  text += '\n';
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    return Error{Errc::kIo, path.parent_path().string() +
                                ": cannot make this folder for a key: " + error.message()};
  Status written = write_new_file(path, bytes_of(text), 0600);
  if (!written && written.error().code == Errc::kAlreadyExists)
    return Error{Errc::kAlreadyExists,
                 path.string() + ": there is a key already; it is kept, choose another name"};
  return written;
}

Result<SigningKey> read_key_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return Error{Errc::kNotFound, path.string() + ": no such key file; `muster key new` makes one"};
  if ((status.st_mode & 077) != 0) {
    return Error{Errc::kPermission, path.string() + ": others can read this key; run `chmod 600 " +
                                        path.string() + "`"};
  }
  MUSTER_TRY(const Bytes content, read_file(path, kKeyFileBytesMax));
  std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  if (!text.starts_with("muster-hotkey "))
    return Error{Errc::kMalformed, path.string() + ": not a muster hotkey file"};
  if (!text.starts_with(kHeader)) {
    return Error{Errc::kVersion, path.string() + ": written as '" +
                                     std::string(text.substr(0, text.find('\n'))) +
                                     "', this build reads 'muster-hotkey 1'"};
  }
  text.remove_prefix(kHeader.size());
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto raw = from_hex(text);
  Seed seed;
  if (!raw || raw->size() != seed.size())
    return Error{Errc::kMalformed, path.string() + ": the key is not 64 hex digits"};
  std::copy(raw->begin(), raw->end(), seed.begin());
  return SigningKey(seed);
}

CurveKeyPair curve_key_pair(const SigningKey& key) {
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded{};
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> ed_public{};
  crypto_sign_seed_keypair(ed_public.data(), expanded.data(), key.seed().data());
  CurveKeyPair pair;
  MUSTER_CHECK(
      crypto_sign_ed25519_sk_to_curve25519(pair.secret_key.data(), expanded.data()) == 0 &&
          crypto_sign_ed25519_pk_to_curve25519(pair.public_key.data(), ed_public.data()) == 0,
      "a key of our own does not map to X25519");
  return pair;
}

Result<std::array<std::uint8_t, 32>> curve_public_key(const PublicKey& key) {
  std::array<std::uint8_t, 32> mapped{};
  if (crypto_sign_ed25519_pk_to_curve25519(mapped.data(), key.bytes.data()) != 0)
    return Error{Errc::kMalformed, "hotkey " + key.hex() + " is not a valid Ed25519 point"};
  return mapped;
}

}  // namespace muster
