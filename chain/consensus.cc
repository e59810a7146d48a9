#include "chain/consensus.h"

#include <algorithm>
#include <map>

namespace muster::chain {
namespace {

using Wide = unsigned __int128;

constexpr std::uint64_t kOne = 1u << 30;  // a normalised weight row sums to about this

std::map<Uid, std::uint64_t> normalised(const WeightRow& row) {
  std::uint64_t total = 0;
  for (const auto& [uid, weight] : row.weights) total += weight;
  std::map<Uid, std::uint64_t> shares;
  for (const auto& [uid, weight] : row.weights)
    if (weight > 0) shares[uid] = kOne * weight / total;
  return shares;
}

// The largest w such that validators holding at least half of the stake give at least w.
std::uint64_t supported_weight(std::vector<std::pair<std::uint64_t, std::uint64_t>> votes,
                               Wide total_stake) {
  std::sort(votes.begin(), votes.end(), std::greater<>());
  Wide supporting = 0;
  for (const auto& [weight, stake] : votes) {
    supporting += stake;
    if (supporting * 2 >= total_stake) return weight;
  }
  return 0;
}

std::vector<Payout> split(const std::map<Uid, Wide>& parts, std::uint64_t rao) {
  Wide total = 0;
  for (const auto& [uid, part] : parts) total += part;
  std::vector<Payout> payouts;
  if (total == 0) return payouts;
  int shift = 0;  // keeps part · 2^64 within 128 bits
  while ((total >> shift) >> 60 != 0) ++shift;
  const Wide scaled_total = total >> shift;
  for (const auto& [uid, part] : parts) {
    const Wide scaled = std::min(part >> shift, scaled_total);
    payouts.push_back({uid, static_cast<std::uint16_t>(scaled * 65535 / scaled_total),
                       static_cast<std::uint64_t>(scaled * rao / scaled_total)});
  }
  return payouts;
}

}  // namespace

EpochResult run_epoch(const std::vector<WeightRow>& rows, std::uint64_t miner_rao,
                      std::uint64_t validator_rao) {
  std::map<Uid, std::vector<std::pair<std::uint64_t, std::uint64_t>>> votes;
  Wide total_stake = 0;
  std::vector<std::map<Uid, std::uint64_t>> shares;
  for (const WeightRow& row : rows) {
    shares.push_back(normalised(row));
    if (shares.back().empty()) continue;
    total_stake += row.stake;
    for (const auto& [uid, share] : shares.back()) votes[uid].emplace_back(share, row.stake);
  }
  std::map<Uid, Wide> incentives;
  std::map<Uid, std::uint64_t> consensus;
  for (const auto& [uid, given] : votes) consensus[uid] = supported_weight(given, total_stake);

  std::map<Uid, Wide> dividends;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (const auto& [uid, share] : shares[r]) {
      const Wide clipped = Wide{std::min(share, consensus[uid])} * (rows[r].stake >> 20);
      incentives[uid] += clipped;
      dividends[rows[r].validator] += clipped;
    }
  }
  return {split(incentives, miner_rao), split(dividends, validator_rao)};
}

}  // namespace muster::chain
