#include "chain/fixed/vectors.h"

#include <algorithm>
#include <numeric>

namespace muster::chain {
namespace {

template <class F>
void normalize_any(std::span<F> values) {
  const F sum = wrapping_sum<F>(values);
  if (sum == F::zero()) return;
  for (F& value : values) value = safe_div(value, sum);
}

void drop_smallest(std::span<const I32F32> values, std::size_t count, std::vector<bool>& chosen) {
  if (values.size() < count) return;
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  for (std::size_t i = 0; i < values.size() - count; ++i) chosen[order[i]] = false;
}

}  // namespace

void normalize(std::span<I32F32> values) { normalize_any(values); }
void normalize(std::span<I64F64> values) { normalize_any(values); }

void normalize_by(std::span<I32F32> values, I32F32 sum) {
  if (sum == I32F32::zero()) return;
  for (I32F32& value : values) value = safe_div(value, sum);
}

bool sums_to_zero(std::span<const I32F32> values) { return wrapping_sum(values) == I32F32::zero(); }

std::vector<bool> is_among_largest(std::span<const I32F32> values, std::size_t count) {
  std::vector<bool> chosen(values.size(), true);
  drop_smallest(values, count, chosen);
  return chosen;
}

std::vector<bool> is_among_largest_nonzero(std::span<const I32F32> values, std::size_t count) {
  std::vector<bool> chosen(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) chosen[i] = values[i] != I32F32::zero();
  drop_smallest(values, count, chosen);
  return chosen;
}

std::vector<std::uint16_t> upscaled_to_u16(std::span<const I32F32> values) {
  std::vector<std::uint16_t> scaled(values.size());
  if (values.empty()) return scaled;
  constexpr I32F32 kMax = fixed_from<I32F32>(65535);
  constexpr I32F32 kThreshold = fixed_from<I32F32>(32768);
  const I32F32 largest = *std::max_element(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    I32F32 value = values[i] * kMax;
    // Above the threshold value * 65535 would saturate, so the quotient comes first.
    if (largest > kThreshold) {
      value = rounded(values[i] * safe_div(kMax, largest));
    } else if (largest != I32F32::zero()) {
      value = rounded(safe_div(value, largest));
    }
    scaled[i] = integer_from<std::uint16_t>(value);
  }
  return scaled;
}

std::vector<std::uint16_t> upscaled_to_u16(std::span<const std::uint16_t> values) {
  std::vector<I32F32> fixed;
  fixed.reserve(values.size());
  for (const std::uint16_t value : values) fixed.push_back(fixed_from<I32F32>(value));
  return upscaled_to_u16(fixed);
}

bool largest_share_within(std::span<const std::uint16_t> values, std::uint16_t limit) {
  if (values.empty()) return true;
  std::vector<I32F32> fixed;
  fixed.reserve(values.size());
  for (const std::uint16_t value : values) fixed.push_back(fixed_from<I32F32>(value));
  normalize(fixed);
  return *std::max_element(fixed.begin(), fixed.end()) <= fixed_from_proportion(limit);
}

void mask_values(const std::vector<bool>& mask, std::span<I32F32> values) {
  if (mask.empty()) return;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i >= mask.size() || mask[i]) values[i] = I32F32::zero();
}

std::vector<I32F32> products(std::span<const I32F32> a, std::span<const I32F32> b) {
  std::vector<I32F32> result(std::min(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = checked_mul(a[i], b[i]).value_or(I32F32::zero());
  return result;
}

}  // namespace muster::chain
