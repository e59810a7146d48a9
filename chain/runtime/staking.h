// Staking: TAO into alpha and back through the pools, under the checks that users meet.
//
// On root a swap is one for one and free. The pool's fee goes to the block's author: of a purchase
// in TAO, of a sale as alpha that is sold at once. Source: subtensor:
// staking/{add,remove,move}_stake.rs, staking/stake_utils.rs, staking/recycle_alpha.rs. Thread
// safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/stakes.h"

namespace muster::chain::runtime {

enum class SwapFee : bool { kCharged, kWaived };

// What swapping that amount gives now. Changes nothing. Errors: those of the pool.
[[nodiscard]] Attempt<Swap> quote(const State& state, Netuid netuid, Side side,
                                  std::uint64_t amount, std::uint64_t limit_price, SwapFee fee);

// The pool's side of a swap: reserves, alpha outside, totals. Whose TAO or alpha it is is the
// caller's to change.
[[nodiscard]] Attempt<Swap> buy_alpha(const Context& context, Netuid netuid, std::uint64_t tao,
                                      std::uint64_t limit_price, SwapFee fee);
[[nodiscard]] Attempt<Swap> sell_alpha(const Context& context, Netuid netuid, std::uint64_t alpha,
                                       std::uint64_t limit_price, SwapFee fee);

struct StakeChange {
  AccountId coldkey, hotkey;
  Netuid netuid = 0;
  std::uint64_t amount = 0;  // rao to stake, alpha-rao to unstake
  std::uint64_t limit_price = 0;
  SwapFee fee = SwapFee::kCharged;
};
// From the coldkey's balance to its stake; the alpha staked.
[[nodiscard]] Attempt<std::uint64_t> stake_into_subnet(const Context& context,
                                                       const StakeChange& change);
// From the coldkey's stake to its balance; the rao received.
[[nodiscard]] Attempt<std::uint64_t> unstake_from_subnet(const Context& context,
                                                         const StakeChange& change);

// The calls, each of its signer's own stake. Errors: upstream's, in upstream's order.
[[nodiscard]] Attempt<std::uint64_t> add_stake(const Context& context, const AccountId& signer,
                                               const AddStake& call);
[[nodiscard]] Attempt<std::uint64_t> add_stake_limit(const Context& context,
                                                     const AccountId& signer,
                                                     const AddStakeLimit& call);
[[nodiscard]] Outcome remove_stake(const Context& context, const AccountId& signer,
                                   const RemoveStake& call);
[[nodiscard]] Outcome remove_stake_limit(const Context& context, const AccountId& signer,
                                         const RemoveStakeLimit& call);
[[nodiscard]] Outcome unstake_all(const Context& context, const AccountId& signer,
                                  const AccountId& hotkey);
[[nodiscard]] Outcome unstake_all_alpha(const Context& context, const AccountId& signer,
                                        const AccountId& hotkey);

// From one (coldkey, hotkey, subnet) to another; across subnets by way of TAO.
struct StakeMove {
  AccountId from_coldkey, to_coldkey;
  AccountId from_hotkey, to_hotkey;
  Netuid from_netuid = 0, to_netuid = 0;
  std::uint64_t alpha = 0;
  std::optional<std::uint64_t> limit_price;  // of the alpha given in the alpha received
  std::optional<bool> allow_partial;
  bool heeds_transfer_switch = false;
};
[[nodiscard]] Outcome move_stake(const Context& context, const StakeMove& move);

enum class AlphaFate : bool { kRecycled, kBurned };
// At most what the signer has.
[[nodiscard]] Outcome destroy_alpha(const Context& context, const AccountId& signer,
                                    const AccountId& hotkey, Netuid netuid, std::uint64_t alpha,
                                    AlphaFate fate);

}  // namespace muster::chain::runtime
