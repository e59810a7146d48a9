#include "chain/runtime/state.h"

namespace muster::chain::runtime {

Bytes encode_state(const State& state) { return scale_encode(state); }

Result<State> decode_state(ByteSpan bytes) { return scale_decode<State>(bytes); }

Hash state_hash(const State& state) {
  return tagged_hash("muster/chain-state", encode_state(state));
}

}  // namespace muster::chain::runtime
