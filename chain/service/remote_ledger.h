// RemoteLedger: a ledger daemon's client: asks, signs and submits.
//
// Every change is a signed extrinsic of the client's key, which is hotkey and coldkey in one for a network's nodes.
// Thread safety: one thread.
#pragma once

#include <memory>
#include <string_view>

#include "chain/codec/call.h"
#include "chain/runtime/state.h"
#include "chain/service/messages.h"
#include "wire/transport.h"

namespace muster::chain {

class RemoteLedger final : public protocol::LedgerClient {
 public:
  // Over `transport`, connected to `server`; every question is given `timeout_ms`. `netuid`: of the network.
  RemoteLedger(std::unique_ptr<wire::Transport> transport, const PublicKey& server,
               const SigningKey& key, Netuid netuid, int timeout_ms = 10'000)
      : transport_(std::move(transport)), server_(server), key_(key), netuid_(netuid), timeout_ms_(timeout_ms) {}

  Result<Hash> genesis_hash() override;
  Result<protocol::Metagraph> metagraph() override;
  Status register_neuron(Role role) override;
  Status add_stake(std::uint64_t rao) override;
  Status commit_weights(const protocol::WeightVector& vector) override;
  Status reveal_weights(const protocol::WeightVector& vector) override;

  [[nodiscard]] Result<InfoAnswer> info();
  [[nodiscard]] Result<AccountAnswer> account(const PublicKey& account);
  [[nodiscard]] Result<runtime::State> state();
  // The encoded block. Errors: kNotFound.
  [[nodiscard]] Result<Bytes> block(std::uint64_t number);
  // Signs with the client's key. Errors: kPermission, with the ledger's one reason: refused, or in a block and failed.
  [[nodiscard]] Result<SubmitAnswer> submit(const RuntimeCall& call);

 private:
  [[nodiscard]] Result<Bytes> ask(Request request);
  template <class Body>
  [[nodiscard]] Result<Body> ask_for(Request request, std::string_view what);

  std::unique_ptr<wire::Transport> transport_;
  PublicKey server_;
  SigningKey key_;
  Netuid netuid_;
  int timeout_ms_;
  std::uint64_t next_request_ = 1;
};

// What a weight vector's commitment on the ledger is.
[[nodiscard]] Hash commitment_of(const AccountId& hotkey, Netuid netuid, const protocol::WeightVector& vector);
[[nodiscard]] RevealWeights reveal_of(Netuid netuid, const protocol::WeightVector& vector);

}  // namespace muster::chain
