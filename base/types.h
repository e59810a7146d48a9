// Strong types for the numbers that every part passes around.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace muster {

// A hotkey's slot in a subnet.
struct Uid {
  std::uint16_t value = 0;
  auto operator<=>(const Uid&) const = default;
};

// One turn of the protocol, from 0.
struct Round {
  std::uint64_t value = 0;
  auto operator<=>(const Round&) const = default;
  [[nodiscard]] Round next() const { return {value + 1}; }
};

enum class Role : std::uint8_t { kMiner = 0, kValidator = 1, kCoordinator = 2, kLedger = 3 };

[[nodiscard]] constexpr std::string_view name_of(Role role) {
  switch (role) {
    case Role::kMiner:
      return "miner";
    case Role::kValidator:
      return "validator";
    case Role::kCoordinator:
      return "coordinator";
    case Role::kLedger:
      return "ledger";
  }
  return "unknown role";
}

}  // namespace muster
