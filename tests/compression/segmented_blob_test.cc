#include "compression/segmented_blob.h"

#include <gtest/gtest.h>

namespace muster::compression {
namespace {

const SegmentedBlob kBlob{{1, 2, 3}, {{4}, {}, {5, 6}}};

TEST(SegmentedBlob, RoundTrips) { EXPECT_EQ(read_blob(write_blob(kBlob)).value(), kBlob); }

TEST(SegmentedBlob, IdDependsOnEveryByte) {
  const Bytes bytes = write_blob(kBlob);
  const Hash id = blob_id(bytes).value();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] ^= 1;
    const auto other = blob_id(changed);
    EXPECT_TRUE(!other || *other != id) << "byte " << i;
  }
}

TEST(SegmentedBlob, IdDependsOnHowTheBytesAreCut) {
  EXPECT_NE(blob_id(write_blob({{}, {{1}, {2}}})).value(),
            blob_id(write_blob({{}, {{1, 2}}})).value());
}

TEST(SegmentedBlob, RefusesTruncationTrailingBytesAndHugeCounts) {
  Bytes bytes = write_blob(kBlob);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(read_blob(ByteSpan(bytes).first(length))) << length;
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(read_blob(longer).error().code, Errc::kMalformed);
  bytes[12] = bytes[13] = bytes[14] = 0xff;
  EXPECT_EQ(read_blob(bytes).error().code, Errc::kTooLarge);
}

TEST(SegmentedBlob, NamesTheSegmentAndByteWhereItIsCut) {
  const Bytes bytes = write_blob({{1, 2}, {{1, 2, 3}, {4, 5, 6}}});  // 16 + 16 + 2 + 3 + 3
  auto refusal = [&](std::size_t length) {
    return read_blob(ByteSpan(bytes).first(length)).error().message;
  };
  EXPECT_EQ(refusal(38), "blob: ends at byte 38, inside segment 1");
  EXPECT_EQ(refusal(33), "blob: ends at byte 33, inside its header");
  EXPECT_EQ(refusal(9), "blob: ends at byte 9, inside its prefix");
}

TEST(SegmentedBlob, NamesBothVersions) {
  Bytes bytes = write_blob(kBlob);
  bytes[4] = 9;
  const auto result = read_blob(bytes);
  EXPECT_EQ(result.error().code, Errc::kVersion);
  EXPECT_NE(result.error().message.find("version 9, this build reads 1"), std::string::npos);
}

}  // namespace
}  // namespace muster::compression
