#include "wire/codec.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::wire {
namespace {

enum class Colour : std::uint8_t { kRed, kGreen };
constexpr std::uint8_t enum_count(Colour) { return 2; }

struct Inner {
  std::uint16_t a = 0;
  std::string text;
  bool operator==(const Inner&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(a, text);
  }
};

struct Outer {
  bool flag = false;
  Colour colour = Colour::kRed;
  double real = 0;
  std::int32_t number = 0;
  std::vector<Inner> inners;
  Bytes blob;
  std::optional<Hash> hash;
  bool operator==(const Outer&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(flag, colour, real, number, inners, blob, hash);
  }
};

Outer example() {
  return {true, Colour::kGreen, -0.5, -7, {{1, "one"}, {2, ""}}, {9, 8}, sha256({})};
}

TEST(Codec, RoundTripsEveryKindOfField) {
  EXPECT_EQ(decode<Outer>(encode(example()), "outer").value(), example());
}

TEST(Codec, WritesLittleEndianWithoutPadding) {
  EXPECT_EQ(encode(Inner{0x0102, "x"}), (Bytes{0x02, 0x01, 1, 0, 0, 0, 'x'}));
}

TEST(Codec, RefusesACountThatTheBytesCannotHoldBeforeAllocating) {
  Bytes bytes{0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4};
  const auto result = decode<std::vector<Inner>>(bytes, "inners");
  EXPECT_EQ(result.error().code, Errc::kMalformed);
  EXPECT_NE(result.error().message.find("4294967295"), std::string::npos);
}

TEST(Codec, RefusesASecondEncodingOfABoolean) {
  Bytes bytes = encode(example());
  bytes[0] = 2;
  EXPECT_EQ(decode<Outer>(bytes, "outer").error().code, Errc::kMalformed);
}

TEST(Codec, RefusesAnUnknownEnumValue) {
  Bytes bytes = encode(example());
  bytes[1] = 2;
  EXPECT_EQ(decode<Outer>(bytes, "outer").error().code, Errc::kMalformed);
}

TEST(Codec, RefusesTrailingBytesAndEveryTruncation) {
  Bytes bytes = encode(example());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode<Outer>(ByteSpan(bytes).first(length), "outer")) << length;
  bytes.push_back(0);
  EXPECT_EQ(decode<Outer>(bytes, "outer").error().code, Errc::kMalformed);
}

TEST(Codec, RefusesAMessageOverTheLimit) {
  const Bytes bytes(limits::kMessageBytesMax + 1);
  EXPECT_EQ(decode<Bytes>(bytes, "blob").error().code, Errc::kTooLarge);
}

TEST(Codec, DecodesMutatedBytesToNothingOrToWhatEncodesBackToThem) {
  const Bytes original = encode(example());
  Prng random(2026);
  for (int trial = 0; trial < 20000; ++trial) {
    Bytes mutated = original;
    for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips)
      mutated[random.below(mutated.size())] = static_cast<std::uint8_t>(random.below(256));
    const auto decoded = decode<Outer>(mutated, "outer");
    if (decoded) {
      EXPECT_EQ(encode(*decoded), mutated) << "trial " << trial;
    }
  }
}

}  // namespace
}  // namespace muster::wire
