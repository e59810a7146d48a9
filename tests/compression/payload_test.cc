#include "compression/payload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/prng.h"

namespace muster::compression {
namespace {

Layout small_layout() { return Layout::make({{"a", {2, 4096}}, {"b", {37}}, {"c", {1}}}).value(); }

std::vector<float> random_update(const Layout& layout, Prng& random) {
  std::vector<float> dense(layout.parameters());
  for (float& x : dense) {
    const double u = random.uniform() * 2 - 1;
    x = random.chance(0.1) ? 0.0f : static_cast<float>(u * u * u);
  }
  return dense;
}

std::vector<float> densified(const Layout& layout, const SparseUpdate& update) {
  std::vector<float> dense(layout.parameters(), 0.0f);
  for (std::size_t i = 0; i < update.indices.size(); ++i)
    dense[update.indices[i]] = update.values[i];
  return dense;
}

std::vector<PayloadFormat> one_part_formats() {
  std::vector<PayloadFormat> formats;
  for (std::uint32_t keep : {1u, 8u, 64u, 1024u, 4096u})
    for (std::uint8_t values = 0; values < kValueFormats; ++values)
      formats.push_back({keep, static_cast<ValueFormat>(values)});
  return formats;
}

std::vector<PayloadFormat> two_part_formats() {
  std::vector<PayloadFormat> formats;
  for (std::uint32_t keep : {2u, 65u, 1024u, 4096u})
    for (std::uint8_t values = 0; values < kValueFormats; ++values)
      formats.push_back(two_part_format(keep, static_cast<ValueFormat>(values)));
  return formats;
}

std::vector<PayloadFormat> all_formats() {
  auto formats = one_part_formats();
  for (const PayloadFormat& format : two_part_formats()) formats.push_back(format);
  return formats;
}

// A payload of one segment from the parts' bytes.
Payload of_parts(const PayloadFormat& format, const Payload& fresh, const Payload& memory) {
  ByteWriter segment;
  segment.write(static_cast<std::uint32_t>(fresh.segments[0].size()));
  segment.append(fresh.segments[0]);
  segment.append(memory.segments[0]);
  return {format, {std::move(segment).take()}};
}

TEST(Payload, KeepsSignsAndTheRoundedMeanMagnitude) {
  const Layout layout = Layout::make({{"a", {4}}}).value();
  const std::vector<float> dense{1, -3, 0, 2};
  const Payload payload = compress(layout, {4096, ValueFormat::kSign}, dense).value();
  const SparseUpdate update = decode(layout, payload).value();
  EXPECT_EQ(update.indices, (std::vector<std::uint64_t>{0, 1, 3}));
  EXPECT_EQ(update.values, (std::vector<float>{2, -2, 2}));
}

// docs/payload.md walks through these bytes.
TEST(Payload, IsByteForByteTheWorkedExample) {
  const Layout layout = Layout::make({{"a", {256}}}).value();
  std::vector<float> dense(256, 0.125f);
  dense[3] = 1;
  dense[40] = -3;
  dense[41] = 2;
  dense[200] = -2;
  const Payload payload = compress(layout, {64, ValueFormat::kSign}, dense).value();
  EXPECT_EQ(to_hex(payload.segments[0]),
            "00"
            "0040"
            "43e0"
            "0a"
            "88440300"
            "d5c90600"
            "cc620400"
            "fb4a1a00");
}

TEST(Payload, EncodesWhatItDecodedToTheSameBytes) {
  const Layout layout = small_layout();
  Prng random(7);
  for (const PayloadFormat& format : one_part_formats()) {
    for (int trial = 0; trial < 10; ++trial) {
      const Payload once = compress(layout, format, random_update(layout, random)).value();
      const SparseUpdate update = decode(layout, once).value();
      EXPECT_EQ(compress(layout, format, densified(layout, update)).value(), once)
          << "keep " << format.keep << ", trial " << trial;
    }
  }
}

TEST(Payload, OfNothingIsAllCountsOfZero) {
  const Layout layout = small_layout();
  const std::vector<float> zeros(layout.parameters(), 0.0f);
  const Payload payload = compress(layout, {64, ValueFormat::kSign}, zeros).value();
  EXPECT_TRUE(decode(layout, payload).value().indices.empty());
}

// One byte string per content: what decodes is what an encoder writes for those entries. Levels and
// exponents need not be those that an encoder would have chosen, so only their spelling is
// compared.
TEST(Payload, DecodesMutatedBytesToNothingOrToValidEntries) {
  const Layout layout = small_layout();
  Prng random(2026);
  for (const PayloadFormat& format : all_formats()) {
    const Payload original = compress(layout, format, random_update(layout, random)).value();
    for (int trial = 0; trial < 300; ++trial) {
      Payload mutated = original;
      Bytes& bytes = mutated.segments[0];
      bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1u << random.below(8));
      const auto update = decode(layout, mutated);
      if (!update) continue;
      for (std::size_t i = 0; i < update->indices.size(); ++i) {
        ASSERT_TRUE(std::isnormal(update->values[i]));
        ASSERT_LT(update->indices[i], layout.parameters());
      }
      ASSERT_TRUE(
          std::is_sorted(update->indices.begin(), update->indices.end(), std::less_equal<>()));
      // Floats are coded one by one, so there the entries of a part say everything.
      if (has_levels(format.values) || format.has_memory()) continue;
      ASSERT_EQ(compress(layout, format, densified(layout, *update)).value(), mutated);
    }
  }
}

// Whatever is in a payload: crowded into one corner of every block, spread out, of all sizes.
TEST(Payload, NeverHasMoreBytesThanItsFormatAllows) {
  const Layout layout =
      Layout::make({{"a", {9, 4096}}, {"b", {37}}, {"c", {1}}, {"d", {5000}}}).value();
  Prng random(9);
  for (const PayloadFormat& format : all_formats()) {
    for (int shape = 0; shape < 4; ++shape) {
      std::vector<float> dense(layout.parameters());
      for (std::size_t i = 0; i < dense.size(); ++i) {
        const std::size_t place = i % kBlockElements;
        const bool large = shape == 0   ? place < format.keep
                           : shape == 1 ? place >= kBlockElements - format.keep
                           : shape == 2 ? random.chance(0.5)
                                        : place % 61 == 0;
        dense[i] = static_cast<float>((random.uniform() - 0.5) * std::exp(20 * random.uniform()) *
                                      (large ? 1e6 : 1));
      }
      const Payload payload = compress(layout, format, dense).value();
      std::uint64_t bytes = 0;
      for (const Bytes& segment : payload.segments) bytes += segment.size();
      EXPECT_LE(bytes, payload_bytes_max(layout, format))
          << "keep " << format.keep << " " << name_of(format.values) << " shape " << shape;
    }
  }
}

TEST(Payload, BoundsItsBytesNotFarAboveWhatUpdatesTake) {
  const Layout layout = Layout::make({{"a", {64, 4096}}}).value();
  Prng random(10);
  const PayloadFormat format{64, ValueFormat::kSign};
  const Payload payload = compress(layout, format, random_update(layout, random)).value();
  EXPECT_LE(payload_bytes_max(layout, format), 4 * payload.segments[0].size());
}

TEST(Payload, RefusesEveryTruncationAndTrailingBytes) {
  const Layout layout = small_layout();
  Prng random(3);
  Payload payload =
      compress(layout, {64, ValueFormat::kSign}, random_update(layout, random)).value();
  Payload cut = payload;
  while (cut.segments[0].size() > 1) {
    cut.segments[0].pop_back();
    EXPECT_FALSE(decode(layout, cut)) << cut.segments[0].size();
  }
  payload.segments[0].push_back(0);
  EXPECT_FALSE(decode(layout, payload));
}

TEST(Payload, RefusesAWrongNumberOfSegmentsAndAnUnknownDensity) {
  const Layout layout = small_layout();
  EXPECT_FALSE(decode(layout, Payload{{64, ValueFormat::kSign}, {}}));
  EXPECT_EQ(compress(layout, {0, ValueFormat::kSign}, std::vector<float>(layout.parameters()))
                .error()
                .code,
            Errc::kInvalidArgument);
  EXPECT_FALSE(
      compress(layout, {4097, ValueFormat::kSign}, std::vector<float>(layout.parameters())));
}

TEST(Payload, NamesSegmentAndBlockOfANonFiniteValue) {
  const Layout layout = small_layout();
  std::vector<float> dense(layout.parameters(), 1.0f);
  dense[4096 + 5] = INFINITY;
  const auto result = compress(layout, {64, ValueFormat::kSign}, dense);
  EXPECT_EQ(result.error().code, Errc::kNonFinite);
  EXPECT_NE(result.error().message.find("segment 0: block 1"), std::string::npos);
}

// Of a segment whose first block is to hold 64 entries: flags, two scales, a plane of low bits, …
TEST(Payload, NamesSegmentBlockAndByteOfWhatItRefuses) {
  const Layout layout = small_layout();
  Prng random(16);
  const Payload whole =
      compress(layout, {64, ValueFormat::kSign}, random_update(layout, random)).value();
  auto refusal = [&](auto&& damage) {
    Payload damaged = whole;
    damage(damaged.segments[0]);
    return decode(layout, damaged).error().message;
  };
  const std::string size = std::to_string(whole.segments[0].size());
  EXPECT_EQ(refusal([](Bytes& bytes) { bytes[0] = 2; }),
            "payload segment 0: unknown flags at byte 0 of " + size);
  EXPECT_EQ(
      refusal([](Bytes& bytes) { bytes[4] = 0xff; }),
      "payload segment 0: block 1: a level that is zero, denormal or not finite at byte 3 of " +
          size);
  EXPECT_EQ(refusal([](Bytes& bytes) { bytes.resize(6); }),
            "payload segment 0: scales end too early at byte 6 of 6");
  EXPECT_EQ(refusal([](Bytes& bytes) {
              bytes.push_back(0);
              bytes.push_back(0);
            }),
            "payload segment 0: coded symbols that do not end where an encoder starts at byte " +
                size + " of " + std::to_string(whole.segments[0].size() + 2));
}

TEST(Payload, CostsLittleMoreThanTheEntropyBoundAt64Of4096) {
  const Layout layout = Layout::make({{"a", {1024, 4096}}}).value();
  Prng random(9);
  const Payload payload =
      compress(layout, {64, ValueFormat::kSign}, random_update(layout, random)).value();
  const double per_parameter = static_cast<double>(payload.segments[0].size()) / (1024 * 4096);
  EXPECT_LT(per_parameter, 0.0170);
}

TEST(Payload, OfTwoPartsIsTheSumOfItsParts) {
  const Layout layout = small_layout();
  Prng random(21);
  for (const PayloadFormat& format : two_part_formats()) {
    const Payload payload = compress(layout, format, random_update(layout, random)).value();
    const auto parts = split_parts(payload).value();
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].format, (PayloadFormat{format.keep - format.keep / 2, format.values}));
    EXPECT_EQ(parts[1].format, (PayloadFormat{format.keep / 2, format.values}));
    std::vector<float> sum(layout.parameters(), 0.0f);
    for (const Payload& part : parts) {
      const SparseUpdate update = decode(layout, part).value();
      for (std::size_t i = 0; i < update.indices.size(); ++i)
        sum[update.indices[i]] += update.values[i];
    }
    EXPECT_EQ(densified(layout, decode(layout, payload).value()), sum)
        << format.keep << name_of(format.values);
  }
}

TEST(Payload, HasAFreshPartThatIsWhatOnePartOfItsSizeWouldBe) {
  const Layout layout = small_layout();
  Prng random(22);
  for (const PayloadFormat& format : two_part_formats()) {
    const auto dense = random_update(layout, random);
    const Payload payload = compress(layout, format, dense).value();
    const Payload alone = compress(layout, format.fresh_part(), dense).value();
    EXPECT_EQ(split_parts(payload).value()[0], alone);
    EXPECT_EQ(decode_parts(layout, payload).value().fresh.values,
              decode(layout, alone).value().values);
  }
}

TEST(Payload, OfOnePartIsItsOwnFreshPart) {
  const Layout layout = small_layout();
  Prng random(23);
  const Payload payload =
      compress(layout, {64, ValueFormat::kSign}, random_update(layout, random)).value();
  EXPECT_EQ(split_parts(payload).value(), std::vector<Payload>{payload});
  const DecodedPayload decoded = decode_parts(layout, payload).value();
  EXPECT_EQ(decoded.fresh.indices, decoded.whole.indices);
  EXPECT_EQ(decoded.fresh.values, decoded.whole.values);
}

TEST(Payload, MakesOnePartOfAKeepOfOne) {
  EXPECT_FALSE(two_part_format(1, ValueFormat::kSign).has_memory());
}

TEST(Payload, AddsPartsThatHoldTheSameEntry) {
  const Layout layout = Layout::make({{"a", {8}}}).value();
  const PayloadFormat format = two_part_format(4096, ValueFormat::kFloat32),
                      part = format.fresh_part();
  const Payload fresh =
      compress(layout, part, std::vector<float>{1, 0, 2, 0, 0, 0.5f, 0, 0}).value();
  const Payload memory =
      compress(layout, part, std::vector<float>{0, 4, 3, 0, 0, -0.25f, 0, 0}).value();
  const Payload payload = of_parts(format, fresh, memory);
  const SparseUpdate update = decode(layout, payload).value();
  EXPECT_EQ(update.indices, (std::vector<std::uint64_t>{0, 1, 2, 5}));
  EXPECT_EQ(update.values, (std::vector<float>{1, 4, 5, 0.25f}));
  const PayloadSummary summary = summarise(layout, payload).value();
  EXPECT_EQ(summary.entries, 4u);
  EXPECT_EQ(summary.norm, norm(update));
}

// Neither a payload that cancels itself nor one that says everything twice gets past the clip.
TEST(Payload, HasTheNormOfTheSumWhateverItsPartsAre) {
  const Layout layout = small_layout();
  Prng random(24);
  const PayloadFormat format = two_part_format(128, ValueFormat::kSign), part = format.fresh_part();
  std::vector<float> dense = random_update(layout, random), opposite = dense;
  for (float& value : opposite) value = -value;
  const Payload fresh = compress(layout, part, dense).value(),
                memory = compress(layout, part, opposite).value();
  const double one = summarise(layout, fresh).value().norm;
  const PayloadSummary doubled = summarise(layout, of_parts(format, fresh, fresh)).value();
  EXPECT_NEAR(doubled.norm, 2 * one, 1e-6 * one);
  EXPECT_EQ(doubled.entries, summarise(layout, fresh).value().entries);
  const PayloadSummary cancelled = summarise(layout, of_parts(format, fresh, memory)).value();
  EXPECT_EQ(cancelled.norm, 0);
  EXPECT_EQ(cancelled.entries, 0u);
  EXPECT_TRUE(decode(layout, of_parts(format, fresh, memory)).value().indices.empty());
}

TEST(Payload, HoldsNoEntryWhereTheSumOfItsPartsIsDenormal) {
  const Layout layout = Layout::make({{"a", {4}}}).value();
  const PayloadFormat format = two_part_format(4096, ValueFormat::kFloat32),
                      part = format.fresh_part();
  const float smallest = std::numeric_limits<float>::min();
  const Payload fresh =
      compress(layout, part, std::vector<float>{1.5f * smallest, 3, 0, 0}).value();
  const Payload memory = compress(layout, part, std::vector<float>{-smallest, 1, 0, 0}).value();
  EXPECT_EQ(decode(layout, of_parts(format, fresh, memory)).value().indices,
            std::vector<std::uint64_t>{1});
}

TEST(Payload, RefusesPartsWhoseSumOverflows) {
  const Layout layout = Layout::make({{"a", {4}}}).value();
  const PayloadFormat format = two_part_format(4096, ValueFormat::kFloat32);
  const Payload part = compress(layout, format.fresh_part(),
                                std::vector<float>{0, std::numeric_limits<float>::max(), 0, 0})
                           .value();
  const auto update = decode(layout, of_parts(format, part, part));
  ASSERT_FALSE(update.has_value());
  EXPECT_EQ(update.error().code, Errc::kNonFinite);
  EXPECT_EQ(update.error().message, "payload segment 0: block 0: parts whose sum is not finite");
}

TEST(Payload, RefusesSegmentsThatAreNotTwoParts) {
  const Layout layout = small_layout();
  Prng random(25);
  const PayloadFormat format = two_part_format(64, ValueFormat::kSign);
  const Payload whole = compress(layout, format, random_update(layout, random)).value();
  Payload cut = whole;
  while (!cut.segments[0].empty()) {
    cut.segments[0].pop_back();
    EXPECT_FALSE(decode(layout, cut)) << cut.segments[0].size();
  }
  EXPECT_FALSE(split_parts(cut));
  for (const int change : {-1, 1}) {  // a byte more, or less, for the fresh part
    Payload moved = whole;
    moved.segments[0][0] = static_cast<std::uint8_t>(moved.segments[0][0] + change);
    EXPECT_FALSE(decode(layout, moved));
  }
  Payload longer = whole;
  longer.segments[0].push_back(0);
  EXPECT_NE(decode(layout, longer).error().message.find("memory part: "), std::string::npos);
}

TEST(Payload, RefusesAFormatWhoseMemoryLeavesNothingForTheFreshPart) {
  EXPECT_EQ(check_format({64, ValueFormat::kSign, 64}).error().code, Errc::kInvalidArgument);
  EXPECT_TRUE(check_format({64, ValueFormat::kSign, 63}));
}

TEST(Norm, IsTheEuclideanLength) {
  EXPECT_DOUBLE_EQ(norm({{0, 1}, {3, -4}, {2}}), 5.0);
  EXPECT_DOUBLE_EQ(norm({{0, 1}, {3, -4}, {1, 2}}), 5.0) << "over two segments";
}

TEST(Summary, CountsAndMeasuresWhatDecodeGives) {
  const Layout layout = small_layout();
  Prng random(12);
  for (const PayloadFormat& format : all_formats()) {
    const Payload payload = compress(layout, format, random_update(layout, random)).value();
    const SparseUpdate update = decode(layout, payload).value();
    const PayloadSummary summary = summarise(layout, payload).value();
    EXPECT_EQ(summary.entries, update.values.size());
    EXPECT_NEAR(summary.norm, norm(update), 1e-12 * summary.norm);
  }
}

TEST(Payload, IsTheSameOnAnyNumberOfThreads) {
  const Layout layout = Layout::make({{"a", {2500, 4096}}, {"b", {100}}}).value();
  Prng random(14);
  const auto dense = random_update(layout, random);
  const PayloadFormat format = two_part_format(64, ValueFormat::kSignMagnitude);
  const Payload payload = compress(layout, format, dense).value();
  const SparseUpdate update = decode(layout, payload).value();
  for (unsigned threads : {2u, 3u, 7u}) {
    EXPECT_EQ(compress(layout, format, dense, threads).value(), payload);
    EXPECT_EQ(decode(layout, payload, threads).value().indices, update.indices);
    EXPECT_EQ(summarise(layout, payload, threads).value().norm,
              summarise(layout, payload).value().norm);
  }
}

TEST(Payload, KeepsFloatsExactly) {
  const Layout layout = small_layout();
  Prng random(15);
  const auto dense = random_update(layout, random);
  const auto update =
      decode(layout, compress(layout, {4096, ValueFormat::kFloat32}, dense).value());
  for (std::size_t i = 0; i < update->indices.size(); ++i)
    ASSERT_EQ(update->values[i], dense[update->indices[i]]);
}

}  // namespace
}  // namespace muster::compression
