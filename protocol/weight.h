// Weights: how much a member counts wherever a run asks for most of its members: in quorums,
// medians and majorities.
//
// A validator weighs its stake, a miner its standing. A hotkey costs little, so its mere number
// counts for nothing. Integers only, so that everybody who holds the same facts gets the same
// weights. Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace muster::protocol {

// The standing of a miner that nobody has evaluated yet.
inline constexpr std::uint16_t kNewcomerStanding = 16384;

// What the validators agree that a miner is worth to the aggregate.
struct Standing {
  std::uint16_t value = kNewcomerStanding;
  bool proven = false;  // evaluated as often as pay needs; otherwise a newcomer
  bool operator==(const Standing&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value, proven);
  }
};

// Weights of these miners among each other, in their order. Each weighs its standing. Where a
// proven miner has a standing, all newcomers together weigh at most a tenth of all, so that no
// number of new hotkeys outweighs those who have worked. Each weight is below 2⁴⁸. REQUIRES: at
// most 2¹² miners.
[[nodiscard]] std::vector<std::uint64_t> miner_weights(std::span<const Standing> standings);

// What part of all weight some members hold. Where nobody has a weight, each counts as one.
class Share {
 public:
  void add(std::uint64_t weight, bool in_part);
  [[nodiscard]] bool is_of_nobody() const { return members_ == 0; }
  [[nodiscard]] bool is_most() const;  // more than half
  // At least so many percent; false of nobody.
  [[nodiscard]] bool is_at_least(std::uint16_t percent) const;

 private:
  using Sum = unsigned __int128;  // of 64-bit stakes
  [[nodiscard]] Sum part() const { return all_ == 0 ? members_in_part_ : part_; }
  [[nodiscard]] Sum all() const { return all_ == 0 ? members_ : all_; }
  Sum part_ = 0, all_ = 0;
  std::uint64_t members_in_part_ = 0, members_ = 0;
};

}  // namespace muster::protocol
