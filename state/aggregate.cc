#include "state/aggregate.h"

#include <algorithm>

namespace muster::state {
namespace {

double lower_median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::vector<float> weights_of(std::span<const Contribution> contributions, double clip_norm) {
  std::uint64_t standings = 0;
  for (const Contribution& contribution : contributions) standings += contribution.standing;
  const bool equal = standings == 0;
  const double total = equal ? static_cast<double>(contributions.size())
                             : static_cast<double>(standings);
  std::vector<float> weights;
  for (const Contribution& contribution : contributions) {
    const double standing = equal ? 1.0 : static_cast<double>(contribution.standing);
    const double factor =
        contribution.norm > 0 ? std::min(1.0, clip_norm / contribution.norm) : 0.0;
    weights.push_back(static_cast<float>(standing * factor / total));
  }
  return weights;
}

}  // namespace

Result<SealedAggregate> seal_aggregate(const compression::Layout& layout,
                                       std::span<const Contribution> contributions,
                                       std::span<const double> past_medians,
                                       const compression::PayloadFormat& downlink,
                                       float downlink_decay,
                                       std::span<float> downlink_residual) {
  MUSTER_CHECK(!contributions.empty(), "an aggregate of nothing");
  MUSTER_CHECK(downlink_residual.size() == layout.parameters(), "a residual of another layout");
  SealedAggregate sealed;
  std::vector<double> norms;
  for (const Contribution& contribution : contributions) norms.push_back(contribution.norm);
  sealed.median_norm = lower_median(norms);
  sealed.clip_norm = sealed.median_norm;
  if (!past_medians.empty()) {
    const double trailing = lower_median({past_medians.begin(), past_medians.end()});
    sealed.clip_norm = std::max(sealed.clip_norm, trailing / 2);
  }
  sealed.weights = weights_of(contributions, sealed.clip_norm);

  std::vector<float> sum(downlink_residual.begin(), downlink_residual.end());
  for (std::size_t c = 0; c < contributions.size(); ++c) {
    const auto& update = *contributions[c].update;
    for (std::size_t i = 0; i < update.indices.size(); ++i)
      sum[update.indices[i]] += sealed.weights[c] * update.values[i];
  }
  MUSTER_TRY(sealed.aggregate, compression::compress(layout, downlink, sum));
  MUSTER_TRY(sealed.decoded, compression::decode(layout, sealed.aggregate));
  for (std::size_t i = 0; i < sealed.decoded.indices.size(); ++i)
    sum[sealed.decoded.indices[i]] -= sealed.decoded.values[i];
  for (std::size_t i = 0; i < sum.size(); ++i) downlink_residual[i] = sum[i] * downlink_decay;
  return sealed;
}

}  // namespace muster::state
