#include "compression/layout.h"

#include <gtest/gtest.h>

#include "base/limits.h"

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

// Llama's shapes at 10^12 parameters: no memory for the parameters, nor for their 244 million
// blocks.
TEST(Layout, HoldsAModelOfATrillionParameters) {
  std::vector<Layout::NamedShape> tensors{{"embedding", {128'000, 25'600}}};
  for (int layer = 0; layer < 128; ++layer) {
    const std::string name = std::to_string(layer);
    tensors.push_back({name + ".gain", {25'600}});
    for (const char* matrix : {".q", ".k", ".v", ".o"})
      tensors.push_back({name + matrix, {25'600, 25'600}});
    for (const char* matrix : {".up", ".gate", ".down"})
      tensors.push_back({name + matrix, {25'600, 67'590}});
  }
  const Layout layout = Layout::make(tensors).value();
  EXPECT_GT(layout.parameters(), 1'000'000'000'000u);
  EXPECT_LE(layout.parameters(), limits::kParametersMax);
  EXPECT_EQ(layout.segment_count(), (layout.block_count() + kSegmentBlocks - 1) / kSegmentBlocks);
  EXPECT_LE(2 * layout.segment_count(), limits::kSegmentsMax) << "of a checkpoint's two arrays";
  std::uint64_t next = 0, next_block = 0;
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const SegmentRange& segment = layout.segment(s);
    ASSERT_EQ(segment.offset, next);
    ASSERT_EQ(segment.first_block, next_block);
    next += segment.elements;
    next_block += segment.blocks;
    const Block last = layout.block(next_block - 1);
    ASSERT_EQ(last.offset + last.elements, next);
  }
  EXPECT_EQ(next, layout.parameters());
  EXPECT_EQ(next_block, layout.block_count());
}

TEST(Layout, RefusesMoreThanTheLimitInOneTensorOrInAll) {
  EXPECT_TRUE(Layout::make({{"a", {limits::kParametersMax}}}));
  EXPECT_EQ(Layout::make({{"a", {limits::kParametersMax}}, {"b", {1}}}).error().code,
            Errc::kTooLarge);
  EXPECT_EQ(Layout::make({{"a", {limits::kParametersMax + 1}}}).error().code, Errc::kTooLarge);
}

TEST(Slice, CutAtSegmentsHasTheBlocksAndSegmentsOfTheWhole) {
  const Layout whole =
      Layout::make({{"a", {700, 4096}}, {"b", {5000}}, {"c", {900, 4100}}}).value();
  for (std::uint32_t first = 0; first < whole.segment_count(); ++first) {
    const SegmentRange& segment = whole.segment(first);
    const Layout part = slice(whole, {segment.offset, segment.offset + segment.elements});
    ASSERT_EQ(part.segment_count(), 1u);
    ASSERT_EQ(part.block_count(), segment.blocks);
    for (std::uint32_t i = 0; i < segment.blocks; ++i) {
      const Block& block = whole.block(segment.first_block + i);
      ASSERT_EQ(part.block(i).offset + segment.offset, block.offset)
          << "segment " << first << ", block " << i;
      ASSERT_EQ(part.block(i).elements, block.elements) << "segment " << first << ", block " << i;
    }
  }
}

TEST(Slice, KeepsWholeTensorsAndNamesTheCutOnesAfterTheirPart) {
  const Layout whole = Layout::make({{"a", {4, 8}}, {"b", {6}}, {"c", {3, 5}}}).value();
  const Layout part = slice(whole, {10, 40});
  ASSERT_EQ(part.tensors().size(), 3u);
  EXPECT_EQ(part.tensors()[0].name, "a[10:32]");
  EXPECT_EQ(part.tensors()[0].shape, (std::vector<std::uint64_t>{1, 22})) << "a matrix stays one";
  EXPECT_EQ(part.tensors()[1].name, "b");
  EXPECT_EQ(part.tensors()[1].offset, 22u) << "counted from the begin of the range";
  EXPECT_EQ(part.tensors()[2].name, "c[0:2]");
  EXPECT_EQ(part.parameters(), 30u);
}

TEST(Slice, OfEverythingIsTheLayout) {
  const Layout whole = Layout::make({{"a", {4, 8}}, {"b", {6}}}).value();
  EXPECT_EQ(slice(whole, {0, whole.parameters()}).hash(), whole.hash());
}

TEST(KeptInBlock, RoundsUpSoThatAShortBlockKeepsItsShare) {
  EXPECT_EQ(kept_in_block(64, 4096), 64u);
  EXPECT_EQ(kept_in_block(64, 100), 2u);
  EXPECT_EQ(kept_in_block(1, 1), 1u);
  EXPECT_EQ(kept_in_block(4096, 7), 7u);
}

}  // namespace
}  // namespace muster::compression
