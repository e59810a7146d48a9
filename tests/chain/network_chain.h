// A ledger as a network's, in a test: one subnet with a short tempo, and whoever signs.
#pragma once

#include "chain/runtime/ledger.h"
#include "chain/service/network_view.h"

namespace muster::testing {

inline chain::runtime::Genesis network_genesis(const std::vector<PublicKey>& accounts,
                                               std::uint16_t tempo = 4) {
  chain::runtime::Genesis genesis;
  genesis.block_ms = 10;
  genesis.network.stake_threshold = chain::runtime::kTao;
  auto& subnet = genesis.subnets.emplace_back();
  subnet.owner_coldkey = subnet.owner_hotkey = SigningKey(Seed{9}).public_key();
  subnet.parameters.tempo = tempo;
  subnet.parameters.validators_max = 2;
  subnet.parameters.weights_rate_limit_blocks = 1;
  subnet.tao_reserve = subnet.alpha_reserve = 100'000 * chain::runtime::kTao;
  for (const PublicKey& account : accounts)
    genesis.balances.push_back({account, 1'000 * chain::runtime::kTao});
  return genesis;
}

inline Bytes signed_call(const chain::runtime::Ledger& ledger, const SigningKey& key,
                         chain::RuntimeCall call) {
  return encode_extrinsic(chain::sign_call(std::move(call), key, ledger.nonce_of(key.public_key()),
                                           ledger.signing_context(chain::Era{}).value()));
}

// Whether it got into the block and did what it asked for.
inline bool submit(chain::runtime::Ledger& ledger, const SigningKey& key, chain::RuntimeCall call) {
  const auto submission = ledger.submit(signed_call(ledger, key, std::move(call)));
  return submission.applied() && !submission.error;
}

}  // namespace muster::testing
