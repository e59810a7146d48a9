#include "base/hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

namespace muster {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  MUSTER_CHECK(EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) == 1, "SHA-256");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(ByteSpan bytes) {
  MUSTER_CHECK(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1, "SHA-256");
  return *this;
}

Hash Sha256::finish() {
  Hash hash;
  unsigned length = 0;
  MUSTER_CHECK(EVP_DigestFinal_ex(context_->handle, hash.bytes.data(), &length) == 1, "SHA-256");
  MUSTER_CHECK(length == hash.bytes.size(), "SHA-256 length");
  return hash;
}

Hash sha256(ByteSpan bytes) { return Sha256().update(bytes).finish(); }

namespace {

void update_with_length(Sha256& sha, ByteSpan part) {
  const std::uint64_t length = part.size();
  sha.update({reinterpret_cast<const std::uint8_t*>(&length), sizeof(length)}).update(part);
}

}  // namespace

Hash tagged_hash(std::string_view tag, std::initializer_list<ByteSpan> parts) {
  Sha256 sha;
  update_with_length(sha, bytes_of(tag));
  for (ByteSpan part : parts) update_with_length(sha, part);
  return sha.finish();
}

Hash merkle_leaf(ByteSpan part) { return tagged_hash("muster/merkle-leaf", part); }

Hash merkle_root(std::span<const Hash> leaves) {
  std::vector<Hash> level(leaves.begin(), leaves.end());
  while (level.size() > 1) {
    std::vector<Hash> above;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      above.push_back(i + 1 == level.size() ? level[i]
                                            : tagged_hash("muster/merkle-node",
                                                          {level[i].bytes, level[i + 1].bytes}));
    }
    level = std::move(above);
  }
  const std::uint64_t count = leaves.size();
  const ByteSpan count_bytes{reinterpret_cast<const std::uint8_t*>(&count), sizeof(count)};
  return tagged_hash("muster/merkle-root",
                     {count_bytes, level.empty() ? ByteSpan{} : ByteSpan(level[0].bytes)});
}

Result<Hash> hash_from_hex(std::string_view text) {
  MUSTER_TRY(const Bytes bytes, from_hex(text));
  Hash hash;
  if (bytes.size() != hash.bytes.size())
    return Error{Errc::kMalformed, "a hash has 64 hex digits, not " + std::to_string(text.size())};
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

}  // namespace muster
