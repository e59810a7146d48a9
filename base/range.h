// Range: consecutive indices [begin, end). Thread safety: value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace muster {

struct Range {
  std::uint64_t begin = 0, end = 0;
  [[nodiscard]] constexpr std::uint64_t size() const { return end - begin; }
  [[nodiscard]] constexpr bool empty() const { return begin == end; }
  bool operator==(const Range&) const = default;
};

// What two ranges have in common; empty, at the later begin, when that is nothing.
[[nodiscard]] constexpr Range common(const Range& a, const Range& b) {
  const std::uint64_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

// What the ranges have of `of`, counted from its begin; {0, 0} for nothing.
[[nodiscard]] inline std::vector<Range> within(std::span<const Range> ranges, const Range& of) {
  std::vector<Range> parts;
  for (const Range& range : ranges) {
    const Range both = common(range, of);
    parts.push_back(both.empty() ? Range{} : Range{both.begin - of.begin, both.end - of.begin});
  }
  return parts;
}

// The part of `values`, whose first stands for index `origin`, that belongs to a range.
template <class T>
[[nodiscard]] constexpr std::span<T> part_of(std::span<T> values, const Range& range,
                                             std::uint64_t origin = 0) {
  return values.subspan(range.begin - origin, range.size());
}

}  // namespace muster
