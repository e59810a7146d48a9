// Context: what a rule works on: a state, the journal of its changes, and the events that it tells
// of.
//
// Rules are free functions that take a Context first; the ones that can fail return an Outcome or
// an Attempt, and whoever began the journal rolls it back. Thread safety: none; one owner.
#pragma once

#include "chain/runtime/event.h"
#include "chain/runtime/journal.h"
#include "chain/runtime/state.h"

namespace muster::chain::runtime {

struct Context {
  State& state;
  Journal& journal;
  Events& events;
  AccountId author;  // of the block; nobody when all zero

  [[nodiscard]] std::uint64_t block() const { return state.block; }
  [[nodiscard]] const NetworkParameters& network() const { return state.network; }
  // Nothing if there is no such subnet.
  [[nodiscard]] Subnet* find(Netuid netuid) const {
    const auto found = state.subnets.find(netuid);
    return found == state.subnets.end() ? nullptr : &found->second;
  }
  // REQUIRES: the subnet exists.
  [[nodiscard]] Subnet& subnet(Netuid netuid) const {
    Subnet* found = find(netuid);
    MUSTER_CHECK(found != nullptr, "no such subnet");
    return *found;
  }
  template <class T>
  T& edit(T& place) const {
    return journal.edit(place);
  }
  template <class E>
  void tell(E event) const {
    journal.append(events, Event(std::move(event)));
  }
};

// a + b and a - b within 0..2^64 - 1.
[[nodiscard]] constexpr std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? ~std::uint64_t{0} : sum;
}
[[nodiscard]] constexpr std::uint64_t saturating_sub(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}
[[nodiscard]] constexpr std::uint64_t saturating_mul(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? ~std::uint64_t{0} : product;
}

}  // namespace muster::chain::runtime
