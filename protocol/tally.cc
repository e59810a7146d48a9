#include "protocol/tally.h"

#include <algorithm>
#include <array>
#include <utility>

namespace muster::protocol {
namespace {

using Stake = unsigned __int128;  // sums of u64 stakes

struct Ballot {
  std::array<Stake, 5> stake_by_verdict{};
  std::vector<std::pair<std::uint16_t, std::uint64_t>> standings;  // (standing, stake)
};

std::uint16_t weighted_lower_median(std::vector<std::pair<std::uint16_t, std::uint64_t>> values) {
  std::sort(values.begin(), values.end());
  Stake total = 0;
  for (const auto& value : values) total += value.second;
  Stake below = 0;
  for (const auto& [standing, stake] : values) {
    below += stake;
    if (below * 2 >= total) return standing;
  }
  return kNewcomerStanding;
}

Ruling rule(const Ballot& ballot, std::uint64_t active_stake) {
  Ruling ruling;
  Stake rejecting = 0;
  Stake most = 0;
  for (std::size_t v = 0; v < ballot.stake_by_verdict.size(); ++v) {
    if (!is_rejection(static_cast<Verdict>(v))) continue;
    rejecting += ballot.stake_by_verdict[v];
    if (ballot.stake_by_verdict[v] > most) {
      most = ballot.stake_by_verdict[v];
      ruling.reason = static_cast<Verdict>(v);
    }
  }
  ruling.rejected = rejecting * 2 > active_stake;
  if (!ruling.rejected) ruling.reason = Verdict::kAccept;
  ruling.standing =
      ballot.standings.empty() ? kNewcomerStanding : weighted_lower_median(ballot.standings);
  return ruling;
}

}  // namespace

std::map<Uid, Ruling> tally(const std::vector<Uid>& miners,
                            const std::vector<WeighedScreen>& screens,
                            std::uint64_t active_stake) {
  std::map<Uid, Ballot> ballots;
  for (Uid miner : miners) ballots[miner];
  for (const WeighedScreen& weighed : screens) {
    for (const ScreenEntry& entry : weighed.screen.entries) {
      const auto ballot = ballots.find(entry.uid);
      if (ballot == ballots.end() || !entry.held || weighed.stake == 0) continue;
      ballot->second.stake_by_verdict[static_cast<std::size_t>(entry.verdict)] += weighed.stake;
      ballot->second.standings.emplace_back(entry.standing, weighed.stake);
    }
  }
  std::map<Uid, Ruling> rulings;
  for (const auto& [uid, ballot] : ballots) rulings[uid] = rule(ballot, active_stake);
  return rulings;
}

}  // namespace muster::protocol
