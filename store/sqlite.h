// A thin owner for SQLite: open with the settings that durability needs, prepare, step, bind.
//
// Errors carry the file's path and SQLite's words; a full disk is kNoSpace, a database that another
// process holds is kAlreadyExists. Thread safety: one thread per Database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace muster::store {

class Statement {
 public:
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, ByteSpan value);
  // True while there is a row.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] Bytes blob(int column) const;

 private:
  friend class Database;
  Statement(sqlite3_stmt* handle, sqlite3* database, std::string path);
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> handle_;
  sqlite3* database_;
  std::string path_;
};

class Database {
 public:
  // WAL, synchronous=FULL, exclusive; `version` is the schema's (user_version): a new file gets
  // `schema`, another version is refused with both named.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& path,
                                             std::int64_t version, const std::string& schema);
  // As it is, of whatever version; the same settings. Errors: kNotFound, and those of open().
  [[nodiscard]] static Result<Database> open_existing(const std::filesystem::path& path);
  [[nodiscard]] Status execute(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql) const;

 private:
  Database(sqlite3* handle, std::string path);
  [[nodiscard]] static Result<Database> open_file(const std::filesystem::path& path, int flags);
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
  std::string path_;
};

}  // namespace muster::store
