#include "chain/codec/weights_convert.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "chain/fixed/int128.h"

namespace muster::chain {
namespace {

constexpr double kScale = 65535.0;
// The SDK adds this against division by zero; it leaves weights that much off the limit.
constexpr double kEpsilon = 1e-7;

// Half to even, whatever the rounding mode is.
double round_half_even(double value) {
  const double floor = std::floor(value);
  const double rest = value - floor;
  if (rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2.0) != 0.0)) return floor + 1;
  return floor;
}

double sum_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::vector<double> scaled(std::span<const double> values, double divisor) {
  std::vector<double> out(values.begin(), values.end());
  for (double& value : out) value /= divisor;
  return out;
}

}  // namespace

Result<WeightRow16> weights_to_u16(std::span<const std::uint16_t> uids,
                                   std::span<const double> weights) {
  if (uids.size() != weights.size())
    return Error{Errc::kInvalidArgument, "as many weights as uids are needed"};
  double largest = 0;
  for (const double weight : weights) {
    if (!std::isfinite(weight)) return Error{Errc::kNonFinite, "a weight is not finite"};
    if (weight < 0) return Error{Errc::kInvalidArgument, "a weight is negative"};
    largest = std::max(largest, weight);
  }
  WeightRow16 row;
  if (largest == 0) return row;
  for (std::size_t i = 0; i < uids.size(); ++i) {
    const auto value = static_cast<std::uint16_t>(round_half_even(weights[i] / largest * kScale));
    if (value == 0) continue;
    row.uids.push_back(uids[i]);
    row.weights.push_back(value);
  }
  return row;
}

Result<std::vector<double>> weights_from_u16(std::size_t n, std::span<const std::uint16_t> uids,
                                             std::span<const std::uint16_t> weights) {
  if (uids.size() != weights.size())
    return Error{Errc::kInvalidArgument, "as many weights as uids are needed"};
  std::vector<double> row(n, 0.0);
  for (std::size_t i = 0; i < uids.size(); ++i) {
    if (uids[i] >= n) return Error{Errc::kInvalidArgument, "a uid is outside the subnet"};
    row[uids[i]] = weights[i];
  }
  const double sum = sum_of(row);
  return sum > 0 ? scaled(row, sum) : row;
}

std::vector<double> limit_weights(std::span<const double> weights, double limit) {
  const std::size_t n = weights.size();
  MUSTER_CHECK(n > 0, "no weights");
  const double sum = sum_of(weights);
  if (sum == 0 || static_cast<double>(n) * limit <= 1)
    return std::vector<double>(n, 1.0 / static_cast<double>(n));
  std::vector<double> shares = scaled(weights, sum);
  std::ranges::sort(shares);
  if (shares.back() <= limit) return scaled(weights, sum);

  std::vector<double> below(n);
  std::partial_sum(shares.begin(), shares.end(), below.begin());
  std::size_t kept = 0;  // how many stay under the limit were all larger ones cut to their size
  for (std::size_t i = 0; i < n; ++i) {
    const double cut_sum = static_cast<double>(n - i - 1) * shares[i] + below[i] + kEpsilon;
    kept += shares[i] / cut_sum < limit ? 1 : 0;
  }
  MUSTER_CHECK(kept > 0, "the smallest weight is over a limit that all could keep");
  const double cutoff =
      (limit * below[kept - 1] - kEpsilon) / (1 - limit * static_cast<double>(n - kept)) * sum;
  std::vector<double> cut(weights.begin(), weights.end());
  for (double& weight : cut) weight = std::min(weight, cutoff);
  return scaled(cut, sum_of(cut));
}

std::vector<std::uint16_t> split_to_u16(std::span<const std::uint64_t> proportions) {
  Uint128 total = 0;
  for (const std::uint64_t part : proportions) total += part;
  std::vector<std::uint16_t> parts(proportions.size(), 0);
  if (total == 0) return parts;
  unsigned rest = 65535;
  std::size_t last = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = static_cast<std::uint16_t>(Uint128{proportions[i]} * 65535 / total);
    rest -= parts[i];
    if (proportions[i] > 0) last = i;
  }
  parts[last] = static_cast<std::uint16_t>(parts[last] + rest);
  return parts;
}

}  // namespace muster::chain
