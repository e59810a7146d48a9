// The tally: from the validators' Screens to one verdict and one standing per miner.
//
// Integer arithmetic only, so that everyone who holds the Screens gets the same result. A payload
// is rejected when validators holding more than half of the active weight reject it; its standing
// is the weighted lower median. A miner that no Screen speaks of is accepted with the standing that
// it had. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "protocol/messages.h"

namespace muster::protocol {

struct WeighedScreen {
  Uid validator;
  std::uint64_t weight = 0;  // ChainHead::weights()
  Screen screen;
};

struct Ruling {
  bool rejected = false;
  Verdict reason = Verdict::kAccept;  // the rejection with most weight behind it; ties: lower value
  Standing standing;
};

// Lower median of the measured loss drops among these evaluations of one round, by the miners'
// weights, in millionths. None without one.
[[nodiscard]] std::optional<std::int32_t> median_drop_e6(
    std::span<const Evaluation> evaluations, const std::map<Uid, std::uint64_t>& weights);

// `miners`: with the standing that each had before. `active_weight`: of validators with a Screen in
// this round or one of the last three sealed rounds. Returns a ruling for each of `miners`.
[[nodiscard]] std::map<Uid, Ruling> tally(const std::map<Uid, Standing>& miners,
                                          const std::vector<WeighedScreen>& screens,
                                          std::uint64_t active_weight);

}  // namespace muster::protocol
