#include "protocol/tally.h"

#include <array>

#include "base/median.h"

namespace muster::protocol {
namespace {

struct Ballot {
  std::array<unsigned __int128, enum_count(Verdict{})> weight_by_verdict{};
  std::vector<std::uint64_t> weights;  // of who spoke of this miner
  std::vector<std::uint16_t> standings;
  std::vector<std::uint8_t> proven;
};

Ruling rule(const Ballot& ballot, const Standing& before, std::uint64_t active_weight) {
  Ruling ruling;
  unsigned __int128 rejecting = 0, most = 0;
  for (std::size_t v = 0; v < ballot.weight_by_verdict.size(); ++v) {
    if (!is_rejection(static_cast<Verdict>(v))) continue;
    rejecting += ballot.weight_by_verdict[v];
    if (ballot.weight_by_verdict[v] > most) {
      most = ballot.weight_by_verdict[v];
      ruling.reason = static_cast<Verdict>(v);
    }
  }
  ruling.rejected = rejecting * 2 > active_weight;
  if (!ruling.rejected) ruling.reason = Verdict::kAccept;
  ruling.standing = before;
  if (!ballot.weights.empty())
    ruling.standing = {weighted_lower_median<std::uint16_t>(ballot.standings, ballot.weights),
                       weighted_lower_median<std::uint8_t>(ballot.proven, ballot.weights) != 0};
  return ruling;
}

}  // namespace

std::optional<std::int32_t> median_drop_e6(std::span<const Evaluation> evaluations,
                                           const std::map<Uid, std::uint64_t>& weights) {
  std::vector<std::int32_t> drops;
  std::vector<std::uint64_t> weight_of;
  for (const Evaluation& evaluation : evaluations) {
    if (evaluation.basis != Basis::kMeasured) continue;
    drops.push_back(evaluation.drop_e6);
    const auto weight = weights.find(evaluation.uid);
    weight_of.push_back(weight == weights.end() ? 0 : weight->second);
  }
  if (drops.empty()) return std::nullopt;
  return weighted_lower_median<std::int32_t>(drops, weight_of);
}

std::map<Uid, Ruling> tally(const std::map<Uid, Standing>& miners,
                            const std::vector<WeighedScreen>& screens,
                            std::uint64_t active_weight) {
  std::map<Uid, Ballot> ballots;
  for (const auto& [uid, standing] : miners) ballots[uid];
  for (const WeighedScreen& weighed : screens) {
    for (const ScreenEntry& entry : weighed.screen.entries) {
      const auto found = ballots.find(entry.uid);
      if (found == ballots.end() || !entry.held || weighed.weight == 0) continue;
      Ballot& ballot = found->second;
      ballot.weight_by_verdict[static_cast<std::size_t>(entry.verdict)] += weighed.weight;
      ballot.weights.push_back(weighed.weight);
      ballot.standings.push_back(entry.standing);
      ballot.proven.push_back(entry.proven ? 1 : 0);
    }
  }
  std::map<Uid, Ruling> rulings;
  for (const auto& [uid, ballot] : ballots)
    rulings[uid] = rule(ballot, miners.at(uid), active_weight);
  return rulings;
}

}  // namespace muster::protocol
