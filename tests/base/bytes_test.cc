#include "base/bytes.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(ByteReader, ReadsWhatTheWriterWroteInLittleEndianOrder) {
  ByteWriter writer;
  writer.write(std::uint16_t{0x1234});
  writer.write(std::uint64_t{7});
  EXPECT_EQ(writer.bytes()[0], 0x34);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.read<std::uint16_t>(), 0x1234);
  EXPECT_EQ(reader.read<std::uint64_t>(), 7u);
  EXPECT_TRUE(reader.finished());
}

TEST(ByteReader, FailsForGoodAtTheFirstReadPastTheEnd) {
  const Bytes bytes{1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read<std::uint32_t>(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.read<std::uint8_t>(), 0u) << "bytes remain, but a failed reader stays failed";
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, IsNotFinishedWhileBytesRemain) {
  const Bytes bytes{1, 2};
  ByteReader reader(bytes);
  (void)reader.read<std::uint8_t>();
  EXPECT_FALSE(reader.finished());
}

TEST(Hex, RoundTripsAndAcceptsUpperCase) {
  const Bytes bytes{0x00, 0xab, 0xff};
  EXPECT_EQ(to_hex(bytes), "00abff");
  EXPECT_EQ(from_hex("00ABff").value(), bytes);
}

TEST(Hex, NamesTheFirstBadDigit) {
  EXPECT_EQ(from_hex("abc").error().code, Errc::kMalformed);
  EXPECT_NE(from_hex("00zz").error().message.find("position 2"), std::string::npos);
}

}  // namespace
}  // namespace muster
