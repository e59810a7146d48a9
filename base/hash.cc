#include "base/hash.h"

#include <openssl/evp.h>

#include <algorithm>

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

namespace {

Hash merkle_node(const Hash& left, const Hash& right) {
  return tagged_hash("muster/merkle-node", {left.bytes, right.bytes});
}

Hash bind_leaf_count(std::uint64_t count, ByteSpan top) {
  const ByteSpan count_bytes{reinterpret_cast<const std::uint8_t*>(&count), sizeof(count)};
  return tagged_hash("muster/merkle-root", {count_bytes, top});
}

}  // namespace

MerkleTree::MerkleTree(std::vector<Hash> leaves) {
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<Hash>& level = levels_.back();
    std::vector<Hash> above;
    for (std::size_t i = 0; i < level.size(); i += 2)
      above.push_back(i + 1 == level.size() ? level[i] : merkle_node(level[i], level[i + 1]));
    levels_.push_back(std::move(above));
  }
}

Hash MerkleTree::root() const {
  const auto& top = levels_.back();
  return bind_leaf_count(levels_.front().size(), top.empty() ? ByteSpan{} : ByteSpan(top[0].bytes));
}

std::vector<Hash> MerkleTree::path(std::size_t index) const {
  std::vector<Hash> path;
  for (const auto& level : levels_) {
    const std::size_t beside = index ^ 1;
    if (beside < level.size()) path.push_back(level[beside]);
    index /= 2;
  }
  return path;
}

Hash merkle_root(std::span<const Hash> leaves) {
  return MerkleTree({leaves.begin(), leaves.end()}).root();
}

Result<Hash> merkle_root_of_path(const Hash& leaf, std::size_t index, std::size_t count,
                                 std::span<const Hash> path) {
  const Error malformed{Errc::kMalformed,
                        "Merkle path: not one of a tree of " + std::to_string(count) + " leaves"};
  if (index >= count) return malformed;
  Hash node = leaf;
  for (std::size_t width = count; width > 1; width = (width + 1) / 2, index /= 2) {
    if ((index ^ 1) >= width) continue;
    if (path.empty()) return malformed;
    node = index % 2 == 0 ? merkle_node(node, path[0]) : merkle_node(path[0], node);
    path = path.subspan(1);
  }
  if (!path.empty()) return malformed;
  return bind_leaf_count(count, node.bytes);
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
