// CallId: which pallet and which call of it, as the two bytes before a call's arguments, and
// upstream's name.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string_view>

namespace muster::chain {

inline constexpr std::uint8_t kBalancesPallet = 5;
inline constexpr std::uint8_t kSubtensorPallet = 7;
inline constexpr std::uint8_t kCommitmentsPallet = 18;
inline constexpr std::uint8_t kAdminPallet = 19;

struct CallId {
  std::uint8_t pallet = 0;
  std::uint8_t index = 0;
  std::string_view name;
};

}  // namespace muster::chain
