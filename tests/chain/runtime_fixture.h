// A small economy for tests: keys by number, a ledger's state with one started subnet, and calls
// without signatures.
//
// Thread safety: none; one owner.
#pragma once

#include "base/sign.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/block_step.h"
#include "chain/runtime/dispatch.h"
#include "chain/runtime/genesis.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/views.h"

namespace muster::chain::runtime {

// Account ids that nobody can sign for; tests that sign use signing_key.
[[nodiscard]] inline AccountId key(std::uint16_t number) {
  AccountId account;
  account.bytes[0] = 1;
  account.bytes[30] = static_cast<std::uint8_t>(number >> 8);
  account.bytes[31] = static_cast<std::uint8_t>(number);
  return account;
}
[[nodiscard]] inline SigningKey signing_key(std::uint8_t number) {
  return SigningKey(Seed{number, 7});
}

inline constexpr Netuid kSubnet = 1;

// Coldkeys are key(100 + i) and own hotkeys key(200 + i). Coldkey 100 owns the subnet, 101 and 102
// validate, the others mine.
[[nodiscard]] inline Genesis small_genesis() {
  Genesis genesis;
  genesis.name = "test";
  genesis.author = key(1);
  genesis.balances.push_back({key(1), kTao});
  for (std::uint16_t i = 0; i < 8; ++i) genesis.balances.push_back({key(100 + i), 10'000 * kTao});
  genesis.root_neurons = {{key(101), key(201)}};
  genesis.root_stakes = {{key(101), key(201), 5'000 * kTao}};
  GenesisSubnet subnet;
  subnet.netuid = kSubnet;
  subnet.owner_coldkey = key(100);
  subnet.owner_hotkey = key(200);
  subnet.parameters.tempo = 20;
  subnet.parameters.commit_reveal = false;
  subnet.parameters.weights_rate_limit_blocks = 1;
  for (std::uint16_t i = 1; i < 5; ++i) subnet.neurons.push_back({key(100 + i), key(200 + i)});
  subnet.stakes = {{key(101), key(201), 2'000 * kTao}, {key(102), key(202), 1'000 * kTao}};
  genesis.subnets.push_back(subnet);
  return genesis;
}

class Economy {
 public:
  explicit Economy(const Genesis& genesis = small_genesis())
      : author_(genesis.author), state_(make_state(genesis)) {
    MUSTER_CHECK(validate(genesis).has_value(), "test genesis");
    step();
  }

  [[nodiscard]] State& state() { return state_; }
  [[nodiscard]] Subnet& subnet(Netuid netuid = kSubnet) { return state_.subnets.at(netuid); }
  [[nodiscard]] const Events& events() const { return events_; }

  Outcome call(const AccountId& signer, const RuntimeCall& what) {
    return dispatch(state_, events_, author_, signer, what);
  }
  void step(std::uint64_t blocks = 1) {
    for (; blocks > 0; --blocks) {
      events_.clear();
      step_block(state_, events_, author_, Hash{{static_cast<std::uint8_t>(state_.block)}});
      for (const Event& event : events_)
        if (const auto* epoch = std::get_if<EpochRan>(&event)) last_epoch_ = epoch->alpha;
    }
  }
  // What the last epoch divided, in alpha-rao.
  [[nodiscard]] std::uint64_t last_epoch() const { return last_epoch_; }
  template <class E>
  [[nodiscard]] std::size_t count() const {
    std::size_t found = 0;
    for (const Event& event : events_) found += std::holds_alternative<E>(event) ? 1 : 0;
    return found;
  }
  // The validators weigh both miners, then epochs run: permits come with the first, incentives with
  // the second.
  void run_epochs() {
    step(20);
    (void)call(key(201), SetWeights{kSubnet, {3, 4}, {100, 50}, 0});
    (void)call(key(202), SetWeights{kSubnet, {3, 4}, {100, 50}, 0});
    step(20);
  }

 private:
  AccountId author_;
  State state_;
  Events events_;
  std::uint64_t last_epoch_ = 0;
};

}  // namespace muster::chain::runtime
