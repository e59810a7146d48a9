// A run of a tiny model at round 5, with validators that attest its state.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "protocol/checkpoint.h"
#include "state/state_root.h"

namespace muster::protocol {

class JoiningTest : public ::testing::Test {
 protected:
  JoiningTest() {
    params_.name = "test";
    params_.model = {.d_model = 8,
                     .layers = 1,
                     .heads = 1,
                     .kv_heads = 1,
                     .d_ff = 8,
                     .context = 4,
                     .vocab = 16,
                     .tied = true};
    params_.sequences = 1000;
    layout_ = state::layout_of(params_.model);
    theta_.assign(layout_.parameters(), 0.5f);
    residual_.assign(layout_.parameters(), -0.25f);
    head_ = ChainHead(params_, run_id_).state();
    head_.round = Round{5};
    head_.parent = sha256(bytes_of("manifest"));
    head_.medians = {1.5, 2.5};
    head_.tails = {10};
    head_.members = {{stranger_.public_key(), Role::kMiner, {}, 1}};
  }

  [[nodiscard]] Position position() const { return {run_id_, head_.round, head_.parent}; }
  [[nodiscard]] Bytes blob() const { return encode_state(layout_, head_, theta_, residual_); }
  [[nodiscard]] Attest truth() const {
    return attest_of(ChainHead(params_, run_id_, head_), state::parameters_root(layout_, theta_),
                     state::parameters_root(layout_, residual_));
  }
  // An offer that the given validators vouch for.
  [[nodiscard]] CheckpointOffer offer(const Attest& attest,
                                      const std::vector<const SigningKey*>& signers) const {
    CheckpointOffer offer{{sha256(bytes_of("blob")), {}}, position()};
    for (const SigningKey* key : signers)
      offer.checkpoint.attestations.push_back(sign_message(position(), attest, *key));
    return offer;
  }

  ProtocolParams params_;
  Hash run_id_ = sha256(bytes_of("run"));
  compression::Layout layout_;
  std::vector<float> theta_, residual_;
  HeadState head_;
  SigningKey alice_{random_seed()}, bob_{random_seed()}, stranger_{random_seed()};
  ValidatorStakes stakes_{{alice_.public_key(), 60}, {bob_.public_key(), 40}};
  Joining joining_;
};

}  // namespace muster::protocol
