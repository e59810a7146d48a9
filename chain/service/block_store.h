// BlockStore: a ledger's blocks in SQLite, one transaction each: a crash keeps the last complete
// one.
//
// Thread safety: one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "chain/runtime/ledger.h"
#include "store/sqlite.h"

namespace muster::chain {

class BlockStore {
 public:
  // Errors: those of store::Database::open; kVersion (another version's file).
  [[nodiscard]] static Result<std::unique_ptr<BlockStore>> open(const std::filesystem::path& path);
  // Durable when it returns. May be called again with the same block after an error. Errors:
  // kNoSpace, kIo.
  [[nodiscard]] Status append(const runtime::Block& block);
  // The encoded block. Errors: kNotFound, kIo.
  [[nodiscard]] Result<Bytes> read(std::uint64_t number) const;
  // In order. Errors: kMalformed, kIo, those of `visit`.
  [[nodiscard]] Status replay(const std::function<Status(const runtime::Block&)>& visit) const;

 private:
  explicit BlockStore(store::Database database) : database_(std::move(database)) {}
  mutable store::Database database_;
};

}  // namespace muster::chain
