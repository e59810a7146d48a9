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

// Whether a part of a round's miners is most of them: it holds more than half of all standing. A miner weighs its
// standing and 1, so that nobody counts for nothing.
class StandingShare {
 public:
  void add(std::uint16_t standing, bool in_part) {
    const std::uint64_t weight = std::uint64_t{standing} + 1;
    all_ += weight;
    if (in_part) part_ += weight;
  }
  [[nodiscard]] bool is_of_nobody() const { return all_ == 0; }
  [[nodiscard]] bool is_most() const { return 2 * part_ > all_; }

 private:
  std::uint64_t part_ = 0, all_ = 0;
};

}  // namespace muster::protocol
