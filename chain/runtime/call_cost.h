// CallCost: an estimate of the time that an extrinsic takes, made before it is applied.
//
// An upper estimate in nanoseconds of one core, from the sizes of the call's lists and of what it
// goes through in the state. No rule of the chain reads it: who makes blocks uses it to keep a
// block within its time. Thread safety: pure functions.
#pragma once

#include <cstdint>

#include "chain/codec/call.h"
#include "chain/runtime/state.h"

namespace muster::chain::runtime {

// Decoding an extrinsic and checking its signature, whatever comes of it.
inline constexpr std::uint64_t kSignatureCostNs = 100'000;

// Applying `call` to `state`. At least 10 µs.
[[nodiscard]] std::uint64_t call_cost_ns(const State& state, const RuntimeCall& call);

}  // namespace muster::chain::runtime
