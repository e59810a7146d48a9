// SHA-256 and what is built on it: domain-separated hashes, Merkle roots.
//
// Every hash that a protocol rule names is tagged: SHA-256(len(tag) ‖ tag ‖ len(part) ‖ part ‖ …),
// with u64 little-endian lengths, so that no two uses and no two splits of the same bytes collide.
// Thread safety: Sha256 objects are for one thread, functions are pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace muster {

struct Hash {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Hash&) const = default;
  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  // The first eight hex digits, for people.
  [[nodiscard]] std::string brief() const { return to_hex(bytes).substr(0, 8); }
};

// Errors: kMalformed (not 64 hex digits).
[[nodiscard]] Result<Hash> hash_from_hex(std::string_view text);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& update(ByteSpan bytes);
  // May be called once.
  [[nodiscard]] Hash finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Hash sha256(ByteSpan bytes);
[[nodiscard]] Hash tagged_hash(std::string_view tag, std::initializer_list<ByteSpan> parts);
[[nodiscard]] inline Hash tagged_hash(std::string_view tag, ByteSpan part) {
  return tagged_hash(tag, {part});
}

// The leaf for a part of a Merkle tree; binds its length.
[[nodiscard]] Hash merkle_leaf(ByteSpan part);
// A tree over leaves in order. An odd node moves up unpaired; the leaf count is bound into the
// root, so neither that nor an empty tree is ambiguous.
class MerkleTree {
 public:
  explicit MerkleTree(std::vector<Hash> leaves);
  [[nodiscard]] Hash root() const;
  // The nodes beside the way from the leaf `index` to the root, from below. REQUIRES: index < the
  // leaf count.
  [[nodiscard]] std::vector<Hash> path(std::size_t index) const;

 private:
  std::vector<std::vector<Hash>> levels_;  // the leaves first
};
[[nodiscard]] Hash merkle_root(std::span<const Hash> leaves);
// The root of the tree of `count` leaves that has `leaf` at `index` and this path beside it.
// Errors: kMalformed (the path has another length than a path of such a tree, or index >= count).
[[nodiscard]] Result<Hash> merkle_root_of_path(const Hash& leaf, std::size_t index,
                                               std::size_t count, std::span<const Hash> path);

}  // namespace muster
