// RemoteLedger: a ledger daemon's client: asks, signs and submits.
//
// Every change is a signed extrinsic of the client's key, which is hotkey and coldkey in one for a
// network's nodes. What the daemon accepts is in the block that it is building, and lost if it dies
// before that block is durable; so whatever changes the ledger returns only after a durable block
// holds it, up to two blocks later. Thread safety: one thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "chain/codec/call.h"
#include "chain/runtime/state.h"
#include "chain/service/messages.h"
#include "wire/transport.h"

namespace muster::chain {

class RemoteLedger {
 public:
  // Over `transport`, connected to `server`; every question is given `timeout_ms`. `netuid`: of the
  // network. `stop`: ends every wait with kCancelled; nothing: none does.
  RemoteLedger(std::unique_ptr<wire::Transport> transport, const PublicKey& server,
               const SigningKey& key, Netuid netuid, int timeout_ms = 10'000,
               const std::atomic<bool>* stop = nullptr)
      : transport_(std::move(transport)),
        server_(server),
        key_(key),
        netuid_(netuid),
        timeout_ms_(timeout_ms),
        stop_(stop) {}

  [[nodiscard]] Result<Hash> genesis_hash();
  // As the daemon says.
  [[nodiscard]] Result<protocol::Metagraph> metagraph();
  [[nodiscard]] Status register_neuron();
  [[nodiscard]] Status add_stake(std::uint64_t rao);
  [[nodiscard]] Status commit_weights(const protocol::WeightVector& vector);
  [[nodiscard]] Status reveal_weights(const protocol::WeightVector& vector);
  // Errors: also kTooLarge, over 128 bytes.
  [[nodiscard]] Status set_commitment(ByteSpan bytes);

  // A uid for at most `rao`, of the client's hotkey. Errors: those of submit.
  [[nodiscard]] Status register_within(std::uint64_t rao);
  [[nodiscard]] Netuid netuid() const { return netuid_; }
  [[nodiscard]] const PublicKey& server() const { return server_; }
  [[nodiscard]] Result<InfoAnswer> info();
  [[nodiscard]] Result<AccountAnswer> account(const PublicKey& account);
  [[nodiscard]] Result<runtime::State> state();
  // The encoded block. Errors: kNotFound.
  [[nodiscard]] Result<Bytes> block(std::uint64_t number);

  // Encoded blocks from `number` on, as many as one answer has. Errors: kNotFound (none).
  [[nodiscard]] Result<std::vector<Bytes>> blocks(std::uint64_t number);
  [[nodiscard]] Result<protocol::LedgerHead> head();

  // An extrinsic that the ledger has accepted.
  struct Sent {
    SubmitAnswer receipt;
    Bytes extrinsic;
  };
  // Signs with the client's key, and returns when the ledger has it in the block being built.
  // Errors: kPermission, with the ledger's one reason to refuse it; kConflict, that of a call which
  // is in the block and failed; kTooLarge, the block or the client's part of it stayed full.
  [[nodiscard]] Result<Sent> send(const RuntimeCall& call);
  // Returns when a durable block holds it; `block` in the receipt says which. If the ledger lost it
  // (it was restarted), the same bytes are sent again: their nonce lets them count once at most.
  // Errors: kConflict (lost for good, or sent again and failed; the message says what to do),
  // kTimeout (the ledger does not come back: whether it holds it is not known), kCancelled.
  [[nodiscard]] Result<SubmitAnswer> confirm(const Sent& sent);
  // What register_neuron submits, for who has many to register; nothing where it has a uid already.
  [[nodiscard]] Result<std::optional<Sent>> send_registration();
  // Sends and confirms.
  [[nodiscard]] Result<SubmitAnswer> submit(const RuntimeCall& call);

 private:
  [[nodiscard]] Result<Bytes> ask(Request request);
  template <class Body>
  [[nodiscard]] Result<Body> ask_for(Request request, std::string_view what);
  // All pages of an answer. Errors: also kTooLarge, over `bytes_max`.
  [[nodiscard]] Result<Bytes> ask_in_pages(Request request, std::string_view what,
                                           std::uint64_t bytes_max);
  [[nodiscard]] Result<SubmitAnswer> send_bytes(const Bytes& extrinsic);
  // Whether the durable block `number` holds the extrinsic.
  [[nodiscard]] Result<bool> holds(std::uint64_t number, const Hash& extrinsic);
  // The durable block from `first` to `last` that holds it.
  [[nodiscard]] Result<std::optional<std::uint64_t>> find(const Hash& extrinsic,
                                                          std::uint64_t first, std::uint64_t last);
  // Waits until block `number` is durable, and returns the number of the last one that is. Errors:
  // kTimeout, kCancelled.
  [[nodiscard]] Result<std::uint64_t> wait_for_block(std::uint64_t number);
  [[nodiscard]] bool stopped() const { return stop_ != nullptr && *stop_; }
  [[nodiscard]] Status pause(int milliseconds) const;

  std::unique_ptr<wire::Transport> transport_;
  PublicKey server_;
  SigningKey key_;
  Netuid netuid_;
  int timeout_ms_;
  const std::atomic<bool>* stop_;
  std::uint64_t next_request_ = 1;
};

// What a weight vector's commitment on the ledger is.
[[nodiscard]] Hash commitment_of(const AccountId& hotkey, Netuid netuid,
                                 const protocol::WeightVector& vector);
[[nodiscard]] RevealWeights reveal_of(Netuid netuid, const protocol::WeightVector& vector);

}  // namespace muster::chain
