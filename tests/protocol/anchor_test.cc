#include "protocol/anchor.h"

#include <gtest/gtest.h>

namespace muster::protocol {
namespace {

class AnchorTest : public ::testing::Test {
 protected:
  static Hash hash(std::string_view text) { return sha256(bytes_of(text)); }
  [[nodiscard]] Anchor anchor(std::uint64_t round, std::string_view manifest) const {
    return {run_id_, Round{round}, hash(manifest), hash("left out"), Hash{}};
  }
  [[nodiscard]] SeenAnchor seen(std::uint64_t round, std::string_view manifest) const {
    return {validator_, encode_anchor(anchor(round, manifest))};
  }
  void reach(AnchorWatch& watch, std::uint64_t round, std::string_view manifest) const {
    watch.reach({run_id_, Round{round + 1}, hash(manifest)});
  }
  Hash run_id_ = hash("run");
  PublicKey validator_ = SigningKey(random_seed()).public_key();
};

TEST_F(AnchorTest, FitsIntoACommitmentSlotAndComesBack) {
  const Bytes bytes = encode_anchor(anchor(7, "a"));
  EXPECT_LE(bytes.size(), 128u);
  EXPECT_EQ(decode_anchor(bytes, run_id_)->round, Round{7});
  EXPECT_EQ(decode_anchor(bytes, run_id_), anchor(7, "a"));
}

TEST_F(AnchorTest, IsNothingOfAnotherRunOrOfOtherBytes) {
  Bytes bytes = encode_anchor(anchor(7, "a"));
  EXPECT_FALSE(decode_anchor(bytes, hash("another run")));
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode_anchor(ByteSpan(bytes).first(length), run_id_)) << length;
  bytes.push_back(0);
  EXPECT_FALSE(decode_anchor(bytes, run_id_));
}

TEST_F(AnchorTest, ListsDependOnEveryItemAndTheirOrder) {
  const Hash a = extend(extend(Hash{}, bytes_of("1")), bytes_of("2"));
  EXPECT_NE(a, extend(extend(Hash{}, bytes_of("2")), bytes_of("1")));
  EXPECT_NE(a, extend(Hash{}, bytes_of("12")));
}

TEST_F(AnchorTest, OfAnotherManifestIsNamedOnceWithItsValidator) {
  AnchorWatch watch(run_id_);
  reach(watch, 6, "six");
  reach(watch, 7, "seven");
  EXPECT_TRUE(watch.compare({seen(7, "seven")}).empty());
  EXPECT_TRUE(watch.compare({seen(8, "not here yet")}).empty());
  const auto differences = watch.compare({seen(6, "another six")});
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_NE(differences[0].find(validator_.brief()), std::string::npos);
  EXPECT_NE(differences[0].find("round 6"), std::string::npos);
  EXPECT_TRUE(watch.compare({seen(7, "another seven")}).empty()) << "it was said";
}

TEST_F(AnchorTest, IsComparedForTheLastRoundsOnly) {
  AnchorWatch watch(run_id_);
  for (std::uint64_t round = 0; round <= AnchorWatch::kRoundsKept; ++round)
    reach(watch, round, "a");
  EXPECT_TRUE(watch.compare({seen(0, "b")}).empty());
  EXPECT_EQ(watch.compare({seen(1, "b")}).size(), 1u);
}

TEST_F(AnchorTest, IsReadFromWhoMayValidate) {
  Metagraph metagraph;
  metagraph.stake_min = 10;
  metagraph.neurons = {{.uid = Uid{0}, .stake = 10, .permit = true, .committed = Bytes{1}},
                       {.uid = Uid{1}, .stake = 9, .permit = true, .committed = Bytes{2}},
                       {.uid = Uid{2}, .stake = 10, .permit = false, .committed = Bytes{3}},
                       {.uid = Uid{3}, .stake = 10, .permit = true, .committed = {}}};
  const auto anchors = anchors_of(metagraph);
  ASSERT_EQ(anchors.size(), 1u);
  EXPECT_EQ(anchors[0].bytes, Bytes{1});
}

}  // namespace
}  // namespace muster::protocol
