#include "compression/layout.h"

#include <gtest/gtest.h>

namespace muster::compression {
namespace {

TEST(Layout, CutsBlocksPerTensorAndLeavesTheLastShort) {
  const Layout layout = Layout::make({{"a", {5000}}, {"b", {3, 2}}}).value();
  ASSERT_EQ(layout.block_count(), 3u);
  EXPECT_EQ(layout.block(1).offset, 4096u);
  EXPECT_EQ(layout.block(1).elements, 904u);
  EXPECT_EQ(layout.block(2).offset, 5000u) << "a block never spans two tensors";
  EXPECT_EQ(layout.parameters(), 5006u);
}

TEST(Layout, CutsSegmentsOf1024Blocks) {
  const Layout layout = Layout::make({{"a", {1025, 4096}}, {"b", {7}}}).value();
  ASSERT_EQ(layout.segment_count(), 2u);
  EXPECT_EQ(layout.segment(0).blocks, 1024u);
  EXPECT_EQ(layout.segment(1).first_block, 1024u);
  EXPECT_EQ(layout.segment(1).elements, 4096u + 7);
}

TEST(Layout, HashBindsNamesShapesAndOrder) {
  const Hash hash = Layout::make({{"a", {2, 3}}, {"b", {1}}}).value().hash();
  EXPECT_NE(hash, (Layout::make({{"a", {3, 2}}, {"b", {1}}}).value().hash()));
  EXPECT_NE(hash, (Layout::make({{"b", {1}}, {"a", {2, 3}}}).value().hash()));
  EXPECT_NE(hash, (Layout::make({{"a", {2, 3}}, {"c", {1}}}).value().hash()));
}

TEST(Layout, RefusesNonsense) {
  EXPECT_EQ(Layout::make({}).error().code, Errc::kInvalidArgument);
  EXPECT_EQ((Layout::make({{"a", {0}}}).error().code), Errc::kInvalidArgument);
  EXPECT_EQ((Layout::make({{"a", {1}}, {"a", {1}}}).error().code), Errc::kInvalidArgument);
  EXPECT_EQ((Layout::make({{"a", {1ull << 40, 1ull << 40}}}).error().code), Errc::kTooLarge);
}

TEST(KeptInBlock, RoundsUpSoThatAShortBlockKeepsItsShare) {
  EXPECT_EQ(kept_in_block(64, 4096), 64u);
  EXPECT_EQ(kept_in_block(64, 100), 2u);
  EXPECT_EQ(kept_in_block(1, 1), 1u);
  EXPECT_EQ(kept_in_block(4096, 7), 7u);
}

}  // namespace
}  // namespace muster::compression
