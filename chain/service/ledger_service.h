// LedgerService: a ledger behind requests, with its blocks on disk.
//
// What was accepted is in the block being built; who must know that it is durable waits for that
// block to close and looks whether it holds it. Thread safety: one thread.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

#include "chain/runtime/ledger.h"
#include "chain/service/block_budget.h"
#include "chain/service/block_store.h"
#include "chain/service/messages.h"

namespace muster::chain {

class LedgerService {
 public:
  // Replays the stored blocks. Errors: those of the store; kInvalidArgument (the genesis);
  // kConflict when the blocks are another genesis'. `key` signs each block that is durable.
  // `coordinator`: may ask as much as a neuron, though it needs no uid.
  [[nodiscard]] static Result<std::unique_ptr<LedgerService>> open(
      const runtime::Genesis& genesis, const std::filesystem::path& database, const SigningKey& key,
      std::optional<PublicKey> coordinator = std::nullopt);

  // The answer to one request of `from`, the key of the connection; never fails: what is wrong is
  // in the answer.
  [[nodiscard]] Bytes handle(const PublicKey& from, ByteSpan request);
  // Closes the current block and makes it durable. Errors: kNoSpace, kIo; the closed block is kept,
  // no extrinsic is taken until it is durable, and the next call tries again.
  [[nodiscard]] Status produce_block();
  [[nodiscard]] const runtime::Ledger& ledger() const { return ledger_; }

 private:
  // An encoding that is handed out in pages.
  struct Whole {
    std::uint64_t version = 0;
    Bytes bytes;
  };
  LedgerService(const runtime::Genesis& genesis, std::unique_ptr<BlockStore> store,
                const SigningKey& key, std::optional<PublicKey> coordinator)
      : ledger_(genesis),
        store_(std::move(store)),
        key_(key),
        coordinator_(coordinator),
        budget_(block_limits(genesis.block_ms)) {}
  void sign_head();
  [[nodiscard]] Result<Bytes> answer(const PublicKey& from, const Request& request);
  [[nodiscard]] AskerKind kind_of(const PublicKey& asker) const;
  [[nodiscard]] InfoAnswer info() const;
  [[nodiscard]] AccountAnswer account(const PublicKey& key) const;
  [[nodiscard]] Result<Bytes> blocks_from(std::uint64_t number) const;
  [[nodiscard]] Result<Bytes> submit(ByteSpan extrinsic);
  [[nodiscard]] Result<Bytes> metagraph_page(const Request& request) const;
  [[nodiscard]] Result<Bytes> state_page(const Request& request);

  runtime::Ledger ledger_;
  std::unique_ptr<BlockStore> store_;
  SigningKey key_;
  std::optional<PublicKey> coordinator_;
  protocol::LedgerHead head_;  // of the last durable block
  BlockBudget budget_;
  std::optional<runtime::Block> unstored_;  // closed, and not durable yet
  // Encoded once per block, when it is asked for. The one before stays for who is in the midst of
  // it.
  std::deque<Whole> states_;
  std::uint64_t changes_ = 1;  // the metagraph's version
};

}  // namespace muster::chain
