// LedgerService: a ledger behind requests, with its blocks on disk.
//
// What was accepted is in the block being built; who must know that it is durable waits for that block to close.
// Thread safety: one thread.
#pragma once

#include <filesystem>
#include <memory>

#include "chain/runtime/ledger.h"
#include "chain/service/block_store.h"
#include "chain/service/messages.h"

namespace muster::chain {

class LedgerService {
 public:
  // Replays the stored blocks. Errors: those of the store; kInvalidArgument (the genesis); kConflict when the blocks are
  // another genesis'.
  [[nodiscard]] static Result<std::unique_ptr<LedgerService>> open(const runtime::Genesis& genesis,
                                                                   const std::filesystem::path& database);

  // The answer to one request; never fails: what is wrong is in the answer.
  [[nodiscard]] Bytes handle(ByteSpan request);
  // Closes the current block and makes it durable. Errors: kNoSpace, kIo.
  [[nodiscard]] Status produce_block();
  [[nodiscard]] const runtime::Ledger& ledger() const { return ledger_; }

 private:
  LedgerService(const runtime::Genesis& genesis, std::unique_ptr<BlockStore> store)
      : ledger_(genesis), store_(std::move(store)) {}
  [[nodiscard]] Result<Bytes> answer(const Request& request);
  [[nodiscard]] Result<Bytes> submit(ByteSpan extrinsic);
  [[nodiscard]] Result<Bytes> part_of_state(std::uint64_t first);
  void state_changed();

  runtime::Ledger ledger_;
  std::unique_ptr<BlockStore> store_;
  Bytes encoded_state_;             // for who asks for it in parts; empty when it must be made anew
  std::uint64_t state_version_ = 0;
};

}  // namespace muster::chain
