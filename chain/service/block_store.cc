#include "chain/service/block_store.h"

namespace muster::chain {
namespace {

// Raised with every change of a block's encoding or of a rule: an older file would replay to
// another state.
constexpr int kVersion = 3;

}  // namespace

Result<std::unique_ptr<BlockStore>> BlockStore::open(const std::filesystem::path& path) {
  MUSTER_TRY(
      store::Database database,
      store::Database::open(
          path, kVersion, "CREATE TABLE blocks(number INTEGER PRIMARY KEY, block BLOB NOT NULL)"));
  return std::unique_ptr<BlockStore>(new BlockStore(std::move(database)));
}

Status BlockStore::append(const runtime::Block& block) {
  MUSTER_TRY(store::Statement insert,
             database_.prepare("INSERT OR REPLACE INTO blocks(number, block) VALUES(?, ?)"));
  insert.bind(1, static_cast<std::int64_t>(block.number)).bind(2, runtime::encode_block(block));
  MUSTER_TRY([[maybe_unused]] const bool row, insert.step());
  return {};
}

Result<Bytes> BlockStore::read(std::uint64_t number) const {
  MUSTER_TRY(store::Statement select,
             database_.prepare("SELECT block FROM blocks WHERE number = ?"));
  select.bind(1, static_cast<std::int64_t>(number));
  MUSTER_TRY(const bool row, select.step());
  if (!row) return Error{Errc::kNotFound, "there is no block " + std::to_string(number)};
  return select.blob(0);
}

Status BlockStore::replay(const std::function<Status(const runtime::Block&)>& visit) const {
  MUSTER_TRY(store::Statement select,
             database_.prepare("SELECT block FROM blocks ORDER BY number"));
  for (;;) {
    MUSTER_TRY(const bool row, select.step());
    if (!row) return {};
    MUSTER_TRY(const runtime::Block block, runtime::decode_block(select.blob(0)));
    MUSTER_TRY_STATUS(visit(block));
  }
}

}  // namespace muster::chain
