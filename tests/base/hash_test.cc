#include "base/hash.h"

#include <gtest/gtest.h>

#include <vector>

namespace muster {
namespace {

TEST(Sha256, MatchesTheFips180Examples) {
  EXPECT_EQ(sha256(bytes_of("abc")).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, IsTheSameInOneUpdateOrMany) {
  const Hash split = Sha256().update(bytes_of("ab")).update(bytes_of("c")).finish();
  EXPECT_EQ(split, sha256(bytes_of("abc")));
}

TEST(TaggedHash, SeparatesTagsAndSplits) {
  const auto a = bytes_of("a"), ab = bytes_of("ab"), b = bytes_of("b"), empty = ByteSpan{};
  EXPECT_NE(tagged_hash("t", {ab}), tagged_hash("t", {a, b}));
  EXPECT_NE(tagged_hash("t", {ab}), tagged_hash("u", {ab}));
  EXPECT_NE(tagged_hash("t", {ab}), tagged_hash("t", {ab, empty}));
}

TEST(MerkleRoot, DependsOnEveryLeafTheirOrderAndTheirCount) {
  const Hash a = merkle_leaf(bytes_of("a")), b = merkle_leaf(bytes_of("b"));
  const Hash ab = merkle_root(std::vector{a, b});
  EXPECT_NE(ab, merkle_root(std::vector{b, a}));
  EXPECT_NE(ab, merkle_root(std::vector{a, b, b}));
  EXPECT_NE(merkle_root(std::vector{a}), a) << "a root must not pass for a leaf";
  EXPECT_NE(merkle_root(std::vector<Hash>{}), merkle_root(std::vector{a}));
}

TEST(MerklePath, LeadsFromEveryLeafToTheRootAndFromNowhereElse) {
  for (std::size_t count = 1; count <= 33; ++count) {
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(sha256(bytes_of(std::to_string(i))));
    const MerkleTree tree(leaves);
    for (std::size_t i = 0; i < count; ++i) {
      const auto path = tree.path(i);
      EXPECT_EQ(merkle_root_of_path(leaves[i], i, count, path).value(), tree.root());
      EXPECT_FALSE(merkle_root_of_path(leaves[i], i, i, path)) << "outside of the tree";
      const auto elsewhere = merkle_root_of_path(leaves[i], (i + 1) % count, count, path);
      EXPECT_TRUE(count == 1 || !elsewhere || *elsewhere != tree.root());
      auto longer = path;
      longer.push_back({});
      EXPECT_EQ(merkle_root_of_path(leaves[i], i, count, longer).error().code, Errc::kMalformed);
    }
  }
}

TEST(MerkleRoot, HasNoSecondPreimageByTakingInnerNodesForLeaves) {
  const Hash a = merkle_leaf(bytes_of("a")), b = merkle_leaf(bytes_of("b"));
  const Hash inner = tagged_hash("muster/merkle-node", {a.bytes, b.bytes});
  EXPECT_NE(merkle_root(std::vector{a, b}), merkle_root(std::vector{inner}));
}

TEST(Hash, RefusesTextThatIsNotOne) {
  EXPECT_EQ(hash_from_hex("abcd").error().code, Errc::kMalformed);
  const Hash hash = sha256(bytes_of("x"));
  EXPECT_EQ(hash_from_hex(hash.hex()).value(), hash);
}

}  // namespace
}  // namespace muster
