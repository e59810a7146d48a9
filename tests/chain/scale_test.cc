#include "chain/codec/scale.h"

#include <gtest/gtest.h>

#include <limits>

#include "chain/codec/era.h"
#include "chain/codec/subtensor_types.h"

namespace muster::chain {
namespace {

ScaleFault fault_of_compact(std::initializer_list<std::uint8_t> bytes, std::uint64_t maximum) {
  const Bytes owned(bytes);
  ScaleReader reader(owned);
  (void)reader.read_compact(maximum);
  return reader.finish();
}

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

TEST(Scale, CompactIntegersSurviveAtEveryEdgeOfTheirForms) {
  for (const std::uint64_t edge :
       {0ull, 63ull, 64ull, 16383ull, 16384ull, (1ull << 30) - 1, 1ull << 30, (1ull << 32) - 1,
        1ull << 32, (1ull << 40) - 1, 1ull << 40, (1ull << 56) - 1, 1ull << 56, ~0ull}) {
    const Compact<std::uint64_t> value{edge};
    const auto decoded = scale_decode<Compact<std::uint64_t>>(scale_encode(value));
    ASSERT_TRUE(decoded) << edge;
    EXPECT_EQ(decoded->value, edge);
  }
}

TEST(Scale, CompactIntegersAreRefusedInALongerFormThanTheyNeed) {
  EXPECT_EQ(fault_of_compact({0xfd, 0x00}, kAny), ScaleFault::kNonMinimalCompact);
  EXPECT_EQ(fault_of_compact({0xfe, 0xff, 0x00, 0x00}, kAny), ScaleFault::kNonMinimalCompact);
  EXPECT_EQ(fault_of_compact({0x03, 0xff, 0xff, 0xff, 0x3f}, kAny), ScaleFault::kNonMinimalCompact);
  EXPECT_EQ(fault_of_compact({0x07, 0x00, 0x00, 0x00, 0x80, 0x00}, kAny),
            ScaleFault::kNonMinimalCompact);
}

TEST(Scale, CompactIntegersOverTheirTypeAreRefused) {
  EXPECT_EQ(fault_of_compact({0xfe, 0xff, 0x03, 0x00}, 65534), ScaleFault::kCompactTooLarge);
  EXPECT_EQ(fault_of_compact({0x17, 1, 2, 3, 4, 5, 6, 7, 8, 9}, kAny),
            ScaleFault::kCompactTooLarge);
}

TEST(Scale, ALengthWithoutItsBytesFailsBeforeAnythingIsAllocated) {
  const Bytes claims_a_gigabyte{0xfe, 0xff, 0xff, 0xff};
  EXPECT_EQ(scale_decode<std::vector<std::uint16_t>>(claims_a_gigabyte).error().code,
            Errc::kTruncated);
  const auto bounded = scale_decode<BoundedBytes<8>>(Bytes{0x24, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(bounded.error().code, Errc::kTooLarge);
}

TEST(Scale, OnlyZeroAndOneAreBools) {
  EXPECT_TRUE(*scale_decode<bool>(Bytes{1}));
  EXPECT_EQ(scale_decode<bool>(Bytes{2}).error().message, name_of(ScaleFault::kNotABool));
}

TEST(Scale, SetsAreStrictlyAscending) {
  EXPECT_EQ(scale_decode<std::set<std::uint8_t>>(Bytes{0x08, 1, 2})->size(), 2u);
  EXPECT_FALSE(scale_decode<std::set<std::uint8_t>>(Bytes{0x08, 2, 1}));
  EXPECT_FALSE(scale_decode<std::set<std::uint8_t>>(Bytes{0x08, 1, 1}));
}

TEST(Scale, BytesLeftOverAreRefused) {
  EXPECT_EQ(scale_decode<std::uint8_t>(Bytes{1, 2}).error().message,
            name_of(ScaleFault::kTrailingBytes));
}

TEST(Scale, AFailedReaderGivesZerosAndKeepsItsFirstFault) {
  const Bytes bytes{2, 7};
  ScaleReader reader(bytes);
  EXPECT_FALSE(reader.read_bool());
  std::uint8_t next = 0;
  reader(next);
  EXPECT_EQ(next, 0);
  EXPECT_EQ(reader.finish(), ScaleFault::kNotABool);
}

TEST(Scale, SignedAndWideIntegersAreLittleEndian) {
  EXPECT_EQ(to_hex(scale_encode(std::int16_t{-2})), "feff");
  EXPECT_EQ(to_hex(scale_encode(Uint128{1} << 64)), "00000000000000000100000000000000");
  EXPECT_EQ(*scale_decode<std::int16_t>(Bytes{0xfe, 0xff}), -2);
}

TEST(Scale, OptionsCarryATag) {
  EXPECT_EQ(to_hex(scale_encode(std::optional<std::uint8_t>{})), "00");
  EXPECT_EQ(to_hex(scale_encode(std::optional<std::uint8_t>{7})), "0107");
  EXPECT_FALSE(scale_decode<std::optional<std::uint8_t>>(Bytes{2, 7}));
}

TEST(Era, EveryEncodingThatDecodesEncodesToTheSameBytes) {
  for (unsigned word = 0; word < 65536; ++word) {
    const Bytes bytes{static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(word >> 8)};
    const auto era = scale_decode<Era>(bytes);
    if (era) {
      EXPECT_EQ(scale_encode(*era), bytes);
    }
  }
}

TEST(Era, LivesFromItsBirthForOnePeriod) {
  const Era era = Era::mortal(64, 100);
  EXPECT_EQ(era.birth(100), 100u);
  EXPECT_EQ(era.birth(163), 100u);
  EXPECT_EQ(era.death(163), 164u);
  EXPECT_EQ(era.birth(164), 164u);
  EXPECT_EQ(Era().birth(1000), 0u);
}

TEST(Era, BeforeItsFirstBirthItIsBornAtItsPhase) { EXPECT_EQ(Era::mortal(64, 42).birth(7), 42u); }

TEST(CommitmentData, ShortAndLongRawBytesTakeTheirOwnForms) {
  const CommitmentData shorter = CommitmentData::raw(Bytes(128, 1));
  const CommitmentData longer = CommitmentData::raw(Bytes(129, 1));
  EXPECT_EQ(scale_encode(shorter)[0], 129);
  EXPECT_EQ(scale_encode(longer)[0], 136);
  EXPECT_EQ(*scale_decode<CommitmentData>(scale_encode(shorter)), shorter);
  EXPECT_EQ(*scale_decode<CommitmentData>(scale_encode(longer)), longer);
}

TEST(CommitmentData, EveryTagIsReadBackAsItself) {
  for (unsigned tag = 0; tag <= 137; ++tag) {
    Bytes bytes(1 + 130 + 8, 0);
    bytes[0] = static_cast<std::uint8_t>(tag);
    ScaleReader reader(bytes);
    CommitmentData data;
    reader(data);
    EXPECT_EQ(reader.failed(), tag > 136) << tag;
    if (!reader.failed()) {
      EXPECT_EQ(scale_encode(data)[0], tag);
    }
  }
}

}  // namespace
}  // namespace muster::chain
