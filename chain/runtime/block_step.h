// The block step: what happens at the beginning of every block, before any extrinsic.
//
// Registration prices decay; the block's TAO is divided between subnets and put into their pools;
// each subnet's alpha is made and waits; subnets whose epoch is due (at most so many per block) pay
// it out; prices are averaged; children's plans come into force; some root stakers are paid.
// Source: subtensor: coinbase/{block_step,run_coinbase}.rs. Thread safety: none; one owner. Cost:
// under 2 µs per subnet without an epoch.
#pragma once

#include "chain/runtime/event.h"
#include "chain/runtime/state.h"

namespace muster::chain::runtime {

// Takes a state to the next block and through its step. `parent` is the hash of the block before;
// `author` of this one.
void step_block(State& state, Events& events, const AccountId& author, const Hash& parent);

}  // namespace muster::chain::runtime
