#include "compression/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/prng.h"
#include "compression/quantize.h"

namespace muster::compression {
namespace {

struct OwnedPart {
  std::vector<std::uint16_t> counts, levels, entries;
  [[nodiscard]] SelectedPart view() const { return {counts, levels, entries}; }
};

// What a payload of one part holds, as another than this CPU would have chosen it.
OwnedPart selection_of(const Layout& layout, const Payload& payload) {
  const std::size_t levels = std::size_t{1} << level_bits(payload.format.values);
  OwnedPart selection{{},
                      std::vector<std::uint16_t>(layout.block_count() * levels),
                      std::vector<std::uint16_t>(layout.block_count() * payload.format.keep)};
  for_each_block(layout, payload, 1, [&](std::size_t, const Block&, const BlockEntries& entries) {
    const std::size_t block = selection.counts.size();
    std::vector<std::uint16_t> found;
    for (float value : entries.values) found.push_back(to_bf16(std::fabs(value)));
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    for (std::size_t c = 0; c < levels && !found.empty(); ++c)
      selection.levels[block * levels + c] = found[std::min(c, found.size() - 1)];
    for (std::size_t i = 0; i < entries.indices.size(); ++i) {
      const auto level =
          std::find(found.begin(), found.end(), to_bf16(std::fabs(entries.values[i])));
      selection.entries[block * payload.format.keep + i] =
          pack_entry(entries.indices[i], static_cast<std::uint32_t>(level - found.begin()),
                     entries.values[i] < 0);
    }
    selection.counts.push_back(static_cast<std::uint16_t>(entries.indices.size()));
  }).value();
  return selection;
}

TEST(Selection, PacksAnEntryInSixteenBits) {
  for (std::uint32_t index : {0u, 1u, 4095u}) {
    for (std::uint32_t level : {0u, 5u, 7u}) {
      for (bool negative : {false, true}) {
        const std::uint16_t entry = pack_entry(index, level, negative);
        EXPECT_EQ(index_of(entry), index);
        EXPECT_EQ(class_of(entry), level);
        EXPECT_EQ(is_negative(entry), negative);
      }
    }
  }
}

TEST(Selection, MakesTheBytesThatCompressMakes) {
  const Layout layout = Layout::make({{"a", {1025, 4096}}, {"b", {77}}}).value();
  std::vector<float> dense(layout.parameters());
  Prng random(9);
  for (float& x : dense)
    x = random.chance(0.02) ? static_cast<float>(random.uniform() - 0.5) : 0.0f;
  for (const ValueFormat values :
       {ValueFormat::kSign, ValueFormat::kSignMagnitude, ValueFormat::kMagnitude3}) {
    for (const PayloadFormat& format : {PayloadFormat{64, values}, two_part_format(65, values)}) {
      const Payload payload = compress(layout, format, dense).value();
      std::vector<OwnedPart> parts;
      for (const Payload& part : split_parts(payload).value())
        parts.push_back(selection_of(layout, part));
      const Selection selection{format, parts.front().view(),
                                format.has_memory() ? parts.back().view() : SelectedPart{}};
      EXPECT_EQ(payload_of(layout, selection, 2).value(), payload)
          << name_of(values) << format.memory_keep;
    }
  }
}

TEST(Selection, NamesWhatIsNotFinite) {
  const Layout layout = Layout::make({{"a", {2, 4096}}}).value();
  const OwnedPart bad{{0, kNotFiniteBlock}, {0, 0}, {0, 0, 0, 0, 77, 0, 0, 0}};
  const auto payload = payload_of(layout, {{4, ValueFormat::kSign}, bad.view(), {}});
  ASSERT_FALSE(payload.has_value());
  EXPECT_EQ(payload.error().message, "payload segment 0: block 1: element 77 is not finite");
}

TEST(Selection, NamesWhatIsNotFiniteInTheMemoryPart) {
  const Layout layout = Layout::make({{"a", {2, 4096}}}).value();
  const OwnedPart empty{{0, 0}, {0, 0}, std::vector<std::uint16_t>(8)};
  const OwnedPart bad{{0, kNotFiniteBlock}, {0, 0}, {0, 0, 0, 0, 77, 0, 0, 0}};
  const auto payload = payload_of(layout, {{8, ValueFormat::kSign, 4}, empty.view(), bad.view()});
  ASSERT_FALSE(payload.has_value());
  EXPECT_EQ(payload.error().message, "payload segment 0: block 1: element 77 is not finite");
}

}  // namespace
}  // namespace muster::compression
