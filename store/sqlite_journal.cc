#include "store/sqlite_journal.h"

namespace muster::store {

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const std::filesystem::path& path) {
  MUSTER_TRY(Database database,
             Database::open(path, 1,
                            "CREATE TABLE records(sequence INTEGER PRIMARY KEY, round INTEGER NOT "
                            "NULL, message BLOB NOT NULL);"
                            "CREATE INDEX records_by_round ON records(round)"));
  std::uint64_t count = 0;
  {
    MUSTER_TRY(Statement statement, database.prepare("SELECT count(*) FROM records"));
    MUSTER_TRY(const bool row, statement.step());
    count = row ? static_cast<std::uint64_t>(statement.integer(0)) : 0;
  }
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(database), count));
}

Status SqliteJournal::append(Round round, ByteSpan message) {
  MUSTER_TRY(Statement insert,
             database_.prepare("INSERT INTO records(sequence, round, message) VALUES(?, ?, ?)"));
  insert.bind(1, static_cast<std::int64_t>(count_))
      .bind(2, static_cast<std::int64_t>(round.value))
      .bind(3, message);
  MUSTER_TRY([[maybe_unused]] const bool row, insert.step());
  ++count_;
  return {};
}

Status SqliteJournal::append_together(const std::function<Status()>& fill) {
  const std::uint64_t before = count_;
  MUSTER_TRY_STATUS(database_.execute("BEGIN IMMEDIATE"));
  Status done = fill();
  if (done) done = database_.execute("COMMIT");
  if (done) return done;
  count_ = before;
  (void)database_.execute("ROLLBACK");
  return done;
}

Status SqliteJournal::replay(std::uint64_t first,
                             const std::function<Status(Round, ByteSpan)>& visit) const {
  MUSTER_TRY(Statement select,
             database_.prepare(
                 "SELECT round, message FROM records WHERE sequence >= ? ORDER BY sequence"));
  select.bind(1, static_cast<std::int64_t>(first));
  for (;;) {
    MUSTER_TRY(const bool row, select.step());
    if (!row) return {};
    MUSTER_TRY_STATUS(visit(Round{static_cast<std::uint64_t>(select.integer(0))}, select.blob(1)));
  }
}

Result<std::vector<Bytes>> SqliteJournal::records_of(Round round) const {
  MUSTER_TRY(Statement select,
             database_.prepare("SELECT message FROM records WHERE round = ? ORDER BY sequence"));
  select.bind(1, static_cast<std::int64_t>(round.value));
  std::vector<Bytes> records;
  for (;;) {
    MUSTER_TRY(const bool row, select.step());
    if (!row) return records;
    records.push_back(select.blob(0));
  }
}

}  // namespace muster::store
