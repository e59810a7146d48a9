#include "cli/inspection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "cli/svg_chart.h"

namespace muster::cli {
namespace {

using compression::Layout;

const Layout kLayout = Layout::make({{"embed", {4, 4096}}, {"norm", {100}}}).value();

TEST(Inspection, CountsAPayloadTensorByTensor) {
  Prng random(1);
  std::vector<float> update(kLayout.parameters());
  for (float& x : update) x = static_cast<float>(random.uniform() - 0.5);
  const auto payload =
      compression::compress(kLayout, {64, compression::ValueFormat::kSign}, update).value();
  const PayloadInspection seen = inspect_payload(kLayout, payload).value();
  EXPECT_EQ(seen.entries, 4 * 64 + 2u);
  ASSERT_EQ(seen.tensors.size(), 2u);
  EXPECT_EQ(seen.tensors[0].entries, 4 * 64u);
  EXPECT_EQ(seen.tensors[1].entries, 2u);
  EXPECT_EQ(seen.full_blocks, 5u);
  EXPECT_DOUBLE_EQ(seen.norm, std::hypot(seen.tensors[0].norm, seen.tensors[1].norm));
  EXPECT_NEAR(seen.norm, compression::summarise(kLayout, payload).value().norm, 1e-9);
  EXPECT_NEAR(seen.bound_bits_per_index, 7.36, 0.1);
  EXPECT_GT(seen.bits_per_index, seen.bound_bits_per_index);
  EXPECT_NEAR((seen.bits_per_index + seen.bits_per_value) * static_cast<double>(seen.entries),
              static_cast<double>(seen.bytes) * 8, 1e-6);
}

TEST(Inspection, CountsWhatTwoPartsHoldTogether) {
  Prng random(2);
  std::vector<float> update(kLayout.parameters());
  for (float& x : update) x = static_cast<float>(random.uniform() - 0.5);
  const auto format = compression::two_part_format(64, compression::ValueFormat::kSign);
  const auto payload = compression::compress(kLayout, format, update).value();
  const PayloadInspection seen = inspect_payload(kLayout, payload).value();
  EXPECT_EQ(seen.entries, compression::decode(kLayout, payload).value().indices.size());
  EXPECT_EQ(seen.full_blocks, 5u);
  EXPECT_NEAR(seen.bound_bits_per_index, 8.3, 0.2) << "of the parts, which are half as dense";
  EXPECT_GT(seen.bits_per_index, seen.bound_bits_per_index);
}

TEST(Inspection, ShowsAnEmptyPayloadAsEmpty) {
  const auto payload =
      compression::compress(kLayout, {}, std::vector<float>(kLayout.parameters(), 0.0f)).value();
  const PayloadInspection seen = inspect_payload(kLayout, payload).value();
  EXPECT_EQ(seen.entries, 0u);
  EXPECT_TRUE(seen.octaves.counts.empty());
}

TEST(Inspection, SortsMagnitudesByTheirPowerOfTwo) {
  const std::vector<float> values{0.5f, -0.75f, 1.0f, 0.0f, -9.0f};
  const Octaves octaves = octaves_of(values);
  EXPECT_EQ(octaves.first, -1);
  EXPECT_EQ(octaves.counts, (std::vector<std::uint64_t>{2, 1, 0, 0, 1}));
}

TEST(Inspection, AddsUpAnArrayTensorByTensor) {
  std::vector<float> values(kLayout.parameters(), 0.0f);
  values[1] = -3;
  values[2] = 4;
  values.back() = 12;
  const ArrayInspection seen = inspect_array(kLayout, "θ", values);
  EXPECT_EQ(seen.tensors[0].entries, 2u);
  EXPECT_DOUBLE_EQ(seen.tensors[0].norm, 5);
  EXPECT_DOUBLE_EQ(seen.tensors[0].largest, 4);
  EXPECT_DOUBLE_EQ(seen.norm, 13);
}

TEST(SvgChart, DrawsABarPerValueAndEscapesLabels) {
  const std::string chart =
      bar_chart("a & b", {{"<x>", 1, "one"}, {"y", 2, "two"}, {"zero", 0, "0"}});
  EXPECT_NE(chart.find("a &amp; b"), std::string::npos);
  EXPECT_NE(chart.find("&lt;x&gt;"), std::string::npos);
  EXPECT_NE(chart.find("width=\"210.0\""), std::string::npos) << "half of the longest";
  EXPECT_EQ(chart.find("<x>"), std::string::npos);
}

}  // namespace
}  // namespace muster::cli
