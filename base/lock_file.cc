#include "base/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/printable.h"

namespace muster {
namespace {

constexpr std::size_t kWhoBytesMax = 200;

std::string read_who(const FileHandle& file) {
  char text[kWhoBytesMax];
  const ssize_t bytes = ::pread(file.get(), text, sizeof(text), 0);
  return bytes <= 0 ? "another process" : printable({text, static_cast<std::size_t>(bytes)});
}

}  // namespace

Result<LockFile> LockFile::take(const std::filesystem::path& path, const std::string& who) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return system_error(path, "open");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error(path, "lock");
    return Error{Errc::kAlreadyExists,
                 path.string() + " is held by " + read_who(file) +
                     ": it works in this folder; end it first, or take another folder or name"};
  }
  const std::string text = who.substr(0, kWhoBytesMax);
  if (::ftruncate(file.get(), 0) != 0) return system_error(path, "truncate");
  MUSTER_TRY_STATUS(write_fully(file, path, bytes_of(text)));
  return LockFile(std::move(file));
}

std::optional<std::string> LockFile::holder(const std::filesystem::path& path) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  // A shared lock, given back at once: it is refused only while somebody holds the exclusive one.
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return read_who(file);
}

}  // namespace muster
