// The tally: from the validators' Screens to one verdict and one standing per miner.
//
// Integer arithmetic only, so that everyone who holds the Screens gets the same result. A payload is
// rejected when validators holding more than half of the active stake reject it; its standing is the
// stake-weighted lower median. Without any Screen everyone is accepted with equal standing.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "protocol/messages.h"

namespace muster::protocol {

struct WeighedScreen {
  Uid validator;
  std::uint64_t stake = 0;
  Screen screen;
};

struct Ruling {
  bool rejected = false;
  Verdict reason = Verdict::kAccept;  // the rejection with most stake behind it; ties: lower value
  std::uint16_t standing = 0;
};

// The standing of a miner that nobody has evaluated yet.
inline constexpr std::uint16_t kNewcomerStanding = 16384;

// `active_stake`: of validators with a Screen in this round or one of the last three sealed rounds.
// Returns a ruling for each uid of `miners`.
[[nodiscard]] std::map<Uid, Ruling> tally(const std::vector<Uid>& miners,
                                          const std::vector<WeighedScreen>& screens,
                                          std::uint64_t active_stake);

}  // namespace muster::protocol
