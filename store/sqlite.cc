#include "store/sqlite.h"

#include <sqlite3.h>

namespace muster::store {
namespace {

Error sqlite_error(sqlite3* database, const std::string& path, int code) {
  Errc kind = Errc::kIo;
  std::string mend;
  if (code == SQLITE_FULL) {
    kind = Errc::kNoSpace;
    mend = "; free some disk space and start again";
  } else if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    kind = Errc::kAlreadyExists;
    mend = "; another process has it open, stop that one first";
  } else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    kind = Errc::kMalformed;
  }
  return {kind, path + ": " + sqlite3_errmsg(database) + mend};
}

}  // namespace

Statement::Statement(sqlite3_stmt* handle, sqlite3* database, std::string path)
    : handle_(handle, &sqlite3_finalize), database_(database), path_(std::move(path)) {}

Statement& Statement::bind(int index, std::int64_t value) {
  MUSTER_CHECK(sqlite3_bind_int64(handle_.get(), index, value) == SQLITE_OK, path_);
  return *this;
}

Statement& Statement::bind(int index, ByteSpan value) {
  // A null pointer would bind NULL instead of an empty blob.
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  MUSTER_CHECK(
      sqlite3_bind_blob64(handle_.get(), index, data, value.size(), SQLITE_TRANSIENT) == SQLITE_OK,
      path_);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(database_, path_, code);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

Bytes Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

Database::Database(sqlite3* handle, std::string path)
    : handle_(handle, &sqlite3_close), path_(std::move(path)) {}

Status Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_.get(), path_, code);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_.get(), path_, code);
  return Statement(handle, handle_.get(), path_);
}

Result<Database> Database::open_file(const std::filesystem::path& path, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | flags, nullptr);
  Database database(handle, path.string());
  if (code != SQLITE_OK) return sqlite_error(handle, path.string(), code);
  MUSTER_TRY_STATUS(database.execute(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"));
  return database;
}

Result<Database> Database::open_existing(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path))
    return Error{Errc::kNotFound, path.string() + ": no database here"};
  return open_file(path, 0);
}

Result<Database> Database::open(const std::filesystem::path& path, std::int64_t version,
                                const std::string& schema) {
  MUSTER_TRY(Database database, open_file(path, SQLITE_OPEN_CREATE));
  std::int64_t found = 0;
  {
    MUSTER_TRY(Statement statement, database.prepare("PRAGMA user_version"));
    MUSTER_TRY(const bool row, statement.step());
    found = row ? statement.integer(0) : 0;
  }
  if (found == 0) {
    MUSTER_TRY_STATUS(database.execute("BEGIN IMMEDIATE;" + schema + ";PRAGMA user_version=" +
                                       std::to_string(version) + ";COMMIT;"));
  } else if (found != version) {
    return Error{Errc::kVersion, path.string() + ": written as version " + std::to_string(found) +
                                     ", this build reads version " + std::to_string(version)};
  }
  return database;
}

}  // namespace muster::store
