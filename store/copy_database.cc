#include "store/copy_database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/sqlite.h"

namespace muster::store {
namespace fs = std::filesystem;
namespace {

constexpr int kTries = 50;
constexpr std::size_t kLogHeaderBytes =
    32;  // magic, version, page size, generation, salts, checksum
constexpr std::size_t kPieceBytes = 1u << 20;

fs::path log_of(const fs::path& database) { return database.string() + "-wal"; }

// The header of the write-ahead log, which changes when the log begins anew; empty: there is none.
Result<Bytes> read_log_header(const fs::path& database) {
  const fs::path path = log_of(database);
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return Bytes{};
  if (!file) return system_error(path, "open");
  Bytes header(kLogHeaderBytes);
  const ssize_t got = ::pread(file.get(), header.data(), header.size(), 0);
  if (got < 0) return system_error(path, "read");
  header.resize(static_cast<std::size_t>(got));
  return header;
}

Status check(const fs::path& database) {
  MUSTER_TRY(Database opened, Database::open_existing(database));
  MUSTER_TRY(Statement statement, opened.prepare("PRAGMA quick_check(1)"));
  MUSTER_TRY(const bool row, statement.step());
  const Bytes found = row ? statement.blob(0) : Bytes{};
  if (std::string(found.begin(), found.end()) == "ok") return {};
  return Error{Errc::kMalformed,
               database.string() + ": " + std::string(found.begin(), found.end())};
}

}  // namespace

Status copy_durably(const fs::path& from, const fs::path& to) {
  FileHandle source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) return system_error(from, "open");
  struct stat status {};
  if (::fstat(source.get(), &status) != 0) return system_error(from, "stat");
  FileHandle target(
      ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, status.st_mode & 0777));
  if (!target) return system_error(to, "create");
  Bytes piece(kPieceBytes);
  for (off_t done = 0; done < status.st_size;) {
    const auto wanted =
        std::min<std::size_t>(piece.size(), static_cast<std::size_t>(status.st_size - done));
    const ssize_t got = ::pread(source.get(), piece.data(), wanted, done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(from, "read");
    if (got == 0) break;
    MUSTER_TRY_STATUS(
        write_fully(target, to, ByteSpan(piece).first(static_cast<std::size_t>(got))));
    done += got;
  }
  if (::fsync(target.get()) != 0) return system_error(to, "fsync");
  return {};
}

Status copy_database(const fs::path& from, const fs::path& to) {
  for (int turn = 0; turn < kTries; ++turn) {
    MUSTER_TRY(const Bytes before, read_log_header(from));
    MUSTER_TRY_STATUS(copy_durably(from, to));
    if (!before.empty()) {
      const Status copied = copy_durably(log_of(from), log_of(to));
      if (!copied && copied.error().code != Errc::kNotFound)
        return copied;  // its node has just ended
    }
    MUSTER_TRY(const Bytes after, read_log_header(from));
    if (before != after) {
      std::error_code ignored;
      fs::remove(log_of(to), ignored);
      continue;
    }
    return check(to);
  }
  return Error{Errc::kTimeout,
               from.string() + ": written to faster than it can be copied; try again"};
}

}  // namespace muster::store
