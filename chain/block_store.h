// BlockStore: a ledger's blocks in SQLite. Thread safety: one thread.
#pragma once

#include <filesystem>
#include <functional>

#include "chain/ledger.h"
#include "store/sqlite.h"

namespace muster::chain {

class BlockStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<BlockStore>> open(const std::filesystem::path& path);
  [[nodiscard]] Status append(const Block& block);
  [[nodiscard]] Status replay(const std::function<Status(const Block&)>& visit) const;

 private:
  explicit BlockStore(store::Database database) : database_(std::move(database)) {}
  store::Database database_;
};

}  // namespace muster::chain
