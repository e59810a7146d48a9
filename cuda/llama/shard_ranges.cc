#include "cuda/llama/shard_ranges.h"

#include <algorithm>

#include "base/check.h"

namespace muster::gpu {
namespace {

constexpr std::uint64_t kBorder = 16;  // parameters, whose halves are moved as eight floats

// Where gains begin, each `width` long.
std::vector<std::uint64_t> gain_offsets(const state::Shape& shape) {
  std::vector<std::uint64_t> offsets;
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    offsets.push_back(shape.layer(layer) + shape.attention_gain);
    offsets.push_back(shape.layer(layer) + shape.mlp_gain);
  }
  offsets.push_back(shape.final_gain);
  return offsets;
}

}  // namespace

std::size_t slot_of(const state::Shape& shape, std::size_t part) {
  if (part == 0) return 0;
  if (part <= shape.layers) return 1 + (part - 1) % 2;
  return shape.is_tied() ? kFinalSlot : 0;
}

std::array<std::uint64_t, kSlots> slot_sizes(const state::Shape& shape) {
  std::array<std::uint64_t, kSlots> sizes{};
  for (std::size_t part = 0; part < part_count(shape); ++part) {
    std::uint64_t& size = sizes[slot_of(shape, part)];
    size = std::max(size, part_range(shape, part).size());
  }
  return sizes;
}

void check_ranges(const state::Shape& shape, const std::vector<Range>& owned, unsigned ranks) {
  MUSTER_CHECK(owned.size() == ranks, "a range for each rank");
  std::uint64_t end = 0;
  for (const Range& range : owned) {
    MUSTER_CHECK(range.begin == end && range.end >= end, "ranges that do not meet");
    MUSTER_CHECK(range.end % kBorder == 0, "a range that ends within a vector");
    end = range.end;
  }
  MUSTER_CHECK(end == shape.parameters, "ranges that are not of all parameters");
}

std::vector<Range> divided(std::vector<Range> ranges, std::uint64_t divisor) {
  for (Range& range : ranges) range = {range.begin / divisor, range.end / divisor};
  return ranges;
}

std::vector<Range> packed_gains(const state::Shape& shape, const std::vector<Range>& owned) {
  const auto offsets = gain_offsets(shape);
  const auto before = [&](std::uint64_t end) {
    std::uint64_t count = 0;
    for (const std::uint64_t offset : offsets)
      count += common({offset, offset + shape.width}, {0, end}).size();
    return count;
  };
  std::vector<Range> ranges;
  for (const Range& range : owned) ranges.push_back({before(range.begin), before(range.end)});
  return ranges;
}

std::vector<CopyRun> gain_runs(const state::Shape& shape, const Range& own) {
  std::vector<CopyRun> runs;
  std::uint64_t packed = 0;
  for (const std::uint64_t offset : gain_offsets(shape)) {
    const Range mine = common(own, {offset, offset + shape.width});
    if (!mine.empty())
      runs.push_back({mine.begin - own.begin, packed + mine.begin - offset, mine.size()});
    packed += shape.width;
  }
  return runs;
}

}  // namespace muster::gpu
