// SqliteJournal: the journal of a node on disk. Thread safety: one thread.
#pragma once

#include <memory>

#include "protocol/journal.h"
#include "store/sqlite.h"

namespace muster::store {

class SqliteJournal final : public protocol::Journal {
 public:
  // Errors: those of Database::open.
  [[nodiscard]] static Result<std::unique_ptr<SqliteJournal>> open(
      const std::filesystem::path& path);
  Status append(Round round, ByteSpan message) override;
  // Durable with the call's end, all of what `fill` appends or nothing. Errors: `fill`'s, and those
  // of append().
  [[nodiscard]] Status append_together(const std::function<Status()>& fill);
  Status replay(std::uint64_t first,
                const std::function<Status(Round, ByteSpan)>& visit) const override;
  Result<std::vector<Bytes>> records_of(Round round) const override;
  std::uint64_t count() const override { return count_; }

 private:
  SqliteJournal(Database database, std::uint64_t count)
      : database_(std::move(database)), count_(count) {}
  Database database_;
  std::uint64_t count_;
};

}  // namespace muster::store
