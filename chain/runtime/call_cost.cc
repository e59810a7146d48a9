#include "chain/runtime/call_cost.h"

namespace muster::chain::runtime {
namespace {

// Estimates of our own, on the safe side of the figures in docs/ledger.md; no call is measured one
// by one.
constexpr std::uint64_t kCallNs = 10'000;  // nonce, fee, journal
constexpr std::uint64_t kSwapNs = 60'000;  // a pool's powers, and a share pool's division
constexpr std::uint64_t kRegistrationNs =
    300'000;  // every weight on the neuron that is replaced is cleared
constexpr std::uint64_t kPerWeightNs = 100;   // sorted, scaled, stored; of a reveal hashed too
constexpr std::uint64_t kPerChildNs = 2'000;  // sorted, and entered in the child's list of parents
constexpr std::uint64_t kPerByteNs = 4;
constexpr std::uint64_t kPerHolderNs =
    2'000;  // of a subnet that ends: its portion, its stake, its payment

std::uint64_t holders_of(const State& state) {
  std::uint64_t holders = 0;
  for (const auto& [netuid, subnet] : state.subnets) holders += subnet.stakes.size();
  return holders;
}

template <class Call>
concept SwapsStake = requires(const Call& call) {
  call.amount_rao;
}
|| requires(const Call& call) { call.amount_alpha; };
template <class Call>
concept RegistersAHotkey = std::same_as<Call, Register> || std::same_as<Call, BurnedRegister> ||
    std::same_as<Call, RegisterLimit> || std::same_as<Call, RootRegister>;
template <class Call>
concept GoesThroughSubnets = std::same_as<Call, UnstakeAll> ||
    std::same_as<Call, UnstakeAllAlpha> || std::same_as<Call, ClaimRoot>;

struct Estimate {
  const State& state;

  template <class Call>
  std::uint64_t operator()(const Call& call) const {
    if constexpr (requires { call.weights; }) {
      std::uint64_t words = call.uids.size() + call.weights.size();
      if constexpr (requires { call.salt; }) words += call.salt.size();
      return words * kPerWeightNs;
    } else if constexpr (requires { call.commit.bytes; }) {
      return call.commit.bytes.size() * kPerByteNs;
    } else if constexpr (RegistersAHotkey<Call>) {
      return kRegistrationNs;
    } else if constexpr (GoesThroughSubnets<Call>) {
      return state.subnets.size() * kSwapNs;
    } else if constexpr (std::same_as<Call, SetChildren>) {
      return call.children.size() * kPerChildNs;
    } else if constexpr (std::same_as<Call, RegisterNetwork>) {
      // At the limit the subnet that ends pays out its holders.
      return kRegistrationNs + state.subnets.size() * kCallNs + holders_of(state) * kPerHolderNs;
    } else if constexpr (std::same_as<Call, SetCommitment>) {
      return call.data.size() * kCallNs;
    } else if constexpr (SwapsStake<Call> || std::same_as<Call, RemoveStakeFullLimit>) {
      return 2 * kSwapNs;  // out of one pool, into another
    } else {
      return kCallNs;
    }
  }
};

}  // namespace

std::uint64_t call_cost_ns(const State& state, const RuntimeCall& call) {
  return kCallNs + std::visit(Estimate{state}, call);
}

}  // namespace muster::chain::runtime
