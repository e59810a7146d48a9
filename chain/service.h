// LedgerService: the ledger behind requests, with its blocks on disk. RemoteLedger: its client.
//
// Requests and answers are small messages over any Transport; changes are signed extrinsics, so the
// channel needs no trust. One SQLite transaction per block: a crash keeps the last complete block.
// Thread safety: one thread each.
#pragma once

#include <filesystem>
#include <memory>

#include "chain/ledger.h"
#include "wire/transport.h"

namespace muster::chain {

class BlockStore;  // chain/block_store.cc

class LedgerService {
 public:
  // Replays the stored blocks. Errors: those of the store; kConflict when they are another genesis'.
  [[nodiscard]] static Result<std::unique_ptr<LedgerService>> open(
      const Genesis& genesis, const std::filesystem::path& database);
  ~LedgerService();

  // The answer to one request; never fails: what is wrong is in the answer.
  [[nodiscard]] Bytes handle(ByteSpan request);
  // Closes the current block and makes it durable. Errors: kNoSpace, kIo.
  [[nodiscard]] Status produce_block();
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }

 private:
  LedgerService(const Genesis& genesis, std::unique_ptr<BlockStore> store);
  Ledger ledger_;
  std::unique_ptr<BlockStore> store_;
};

// Asks over `transport` (connected to `server`), retrying until `timeout_ms`.
class RemoteLedger final : public protocol::LedgerClient {
 public:
  RemoteLedger(std::unique_ptr<wire::Transport> transport, const PublicKey& server,
               const SigningKey& key, int timeout_ms = 10'000)
      : transport_(std::move(transport)), server_(server), key_(key), timeout_ms_(timeout_ms) {}

  Result<Hash> genesis_hash() override;
  Result<protocol::Metagraph> metagraph() override;
  Status register_neuron(Role role) override;
  Status add_stake(std::uint64_t rao) override;
  Status commit_weights(const Hash& commitment) override;
  Status reveal_weights(const std::vector<Uid>& uids, const std::vector<std::uint16_t>& weights,
                        const Hash& salt) override;
  [[nodiscard]] Result<std::uint64_t> balance();

 private:
  [[nodiscard]] Result<Bytes> ask(ByteSpan request);
  [[nodiscard]] Status submit(const Call& call);
  std::unique_ptr<wire::Transport> transport_;
  PublicKey server_;
  SigningKey key_;
  int timeout_ms_;
  std::uint64_t next_request_ = 1;
};

}  // namespace muster::chain
