#include "store/file_blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "compression/segmented_blob.h"

namespace muster::store {
namespace fs = std::filesystem;

Result<std::unique_ptr<FileBlobStore>> FileBlobStore::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder / "partial", error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  return std::unique_ptr<FileBlobStore>(new FileBlobStore(folder));
}

fs::path FileBlobStore::path_of(const Hash& id) const {
  const std::string hex = id.hex();
  return folder_ / hex.substr(0, 2) / hex.substr(2);
}
fs::path FileBlobStore::partial_path(const Hash& id) const {
  return folder_ / "partial" / id.hex();
}

Status FileBlobStore::put(const Hash& id, ByteSpan blob) {
  MUSTER_TRY(const Hash actual, compression::blob_id(blob));
  if (actual != id) return Error{Errc::kBadHash, "blob " + id.brief() + " has other content"};
  const std::lock_guard lock(mutex_);
  const fs::path path = path_of(id);
  if (fs::exists(path)) return {};
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return Error{Errc::kIo, path.string() + ": " + error.message()};
  return replace_file(path, blob);
}

Result<std::uint64_t> FileBlobStore::size(const Hash& id) const {
  struct stat status {};
  const fs::path path = path_of(id);
  if (::stat(path.c_str(), &status) != 0) return system_error(path, "stat");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<Bytes> FileBlobStore::read(const Hash& id, std::uint64_t offset,
                                  std::size_t length) const {
  const fs::path path = path_of(id);
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error(path, "open");
  Bytes bytes(length);
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = ::pread(file.get(), bytes.data() + done, length - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Result<Bytes> FileBlobStore::get(const Hash& id) const {
  return read_file(path_of(id), limits::kBlobBytesMax);
}

std::uint64_t FileBlobStore::partial_size(const Hash& id) const {
  struct stat status {};
  return ::stat(partial_path(id).c_str(), &status) == 0
             ? static_cast<std::uint64_t>(status.st_size)
             : 0;
}

Status FileBlobStore::append(const Hash& id, ByteSpan piece) {
  const std::lock_guard lock(mutex_);
  const fs::path path = partial_path(id);
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return system_error(path, "create");
  return write_fully(file, path, piece);
}

Status FileBlobStore::finish(const Hash& id) {
  const fs::path path = partial_path(id);
  auto blob = read_file(path, limits::kBlobBytesMax);
  if (!blob) return std::move(blob).error();
  Status stored = put(id, *blob);
  drop_partial(id);
  return stored;
}

void FileBlobStore::drop(const Hash& id) { ::unlink(path_of(id).c_str()); }

void FileBlobStore::drop_partial(const Hash& id) { ::unlink(partial_path(id).c_str()); }

}  // namespace muster::store
