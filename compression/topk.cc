#include "compression/topk.h"

#include <algorithm>
#include <bit>

namespace muster::compression {
namespace {

constexpr std::uint32_t kInfinityBits = 0x7f800000;
constexpr std::uint32_t kSmallestNormalBits = 0x00800000;

}  // namespace

Status select_top(std::span<const float> block, std::uint32_t keep,
                  std::vector<std::uint32_t>& selected) {
  // One key per element orders by magnitude, then by lower index: the bits of |x| above ~index.
  std::vector<std::uint64_t> keys;
  keys.reserve(block.size());
  for (std::uint32_t i = 0; i < block.size(); ++i) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(block[i]) & 0x7fffffff;
    if (magnitude >= kInfinityBits)
      return Error{Errc::kNonFinite, "element " + std::to_string(i) + " is not finite"};
    if (magnitude >= kSmallestNormalBits)
      keys.push_back(std::uint64_t{magnitude} << 32 | (0xffffffffu - i));
  }
  if (keys.size() > keep) {
    std::nth_element(keys.begin(), keys.begin() + keep, keys.end(), std::greater<>());
    keys.resize(keep);
  }
  selected.clear();
  for (std::uint64_t key : keys) selected.push_back(0xffffffffu - static_cast<std::uint32_t>(key));
  std::sort(selected.begin(), selected.end());
  return {};
}

}  // namespace muster::compression
