#include "store/file_blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "compression/segmented_blob.h"

namespace muster::store {
namespace fs = std::filesystem;
namespace {

Status make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return {};
  errno = error.value();
  return system_error(folder, "create folder");
}

// The entries of a folder; none when it is not there.
Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    entries.push_back(entry->path());
  if (!error || error == std::errc::no_such_file_or_directory) return entries;
  errno = error.value();
  return system_error(folder, "list folder");
}

}  // namespace

Result<std::unique_ptr<FileBlobStore>> FileBlobStore::open(const fs::path& folder) {
  MUSTER_TRY_STATUS(make_folders(folder / "partial"));
  return std::unique_ptr<FileBlobStore>(new FileBlobStore(folder));
}

fs::path FileBlobStore::path_of(const Hash& id) const {
  const std::string hex = id.hex();
  return folder_ / hex.substr(0, 2) / hex.substr(2);
}
fs::path FileBlobStore::partial_path(const PublicKey& owner, const Hash& id) const {
  return folder_ / "partial" / (owner.hex() + "-" + id.hex());
}

Status FileBlobStore::put(const Hash& id, ByteSpan blob) {
  MUSTER_TRY(const Hash actual, compression::blob_id(blob));
  if (actual != id) return Error{Errc::kBadHash, "blob " + id.brief() + " has other content"};
  const std::lock_guard lock(mutex_);
  const fs::path path = path_of(id);
  if (::access(path.c_str(), F_OK) == 0) return {};
  MUSTER_TRY_STATUS(make_folders(path.parent_path()));
  return replace_file(path, blob);
}

Result<std::uint64_t> FileBlobStore::size(const Hash& id) const {
  struct stat status {};
  const fs::path path = path_of(id);
  if (::stat(path.c_str(), &status) != 0) return system_error(path, "stat");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<Bytes> FileBlobStore::read(const Hash& id, std::uint64_t offset, std::size_t length) const {
  const fs::path path = path_of(id);
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error(path, "open");
  Bytes bytes(length);
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got =
        ::pread(file.get(), bytes.data() + done, length - done, static_cast<off_t>(offset + done));
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

Result<std::vector<Hash>> FileBlobStore::list() const {
  std::vector<Hash> ids;
  MUSTER_TRY(const auto folders, entries_of(folder_));
  for (const fs::path& folder : folders) {
    const std::string first = folder.filename().string();
    if (first.size() != 2) continue;
    MUSTER_TRY(const auto files, entries_of(folder));
    // What else lies here, as the temporary file of a put that a crash cut short, is no blob.
    for (const fs::path& file : files)
      if (const auto id = hash_from_hex(first + file.filename().string())) ids.push_back(*id);
  }
  return ids;
}

std::uint64_t FileBlobStore::partial_size(const PublicKey& owner, const Hash& id) const {
  struct stat status {};
  return ::stat(partial_path(owner, id).c_str(), &status) == 0
             ? static_cast<std::uint64_t>(status.st_size)
             : 0;
}

Status FileBlobStore::append(const PublicKey& owner, const Hash& id, ByteSpan piece) {
  const fs::path path = partial_path(owner, id);
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return system_error(path, "create");
  return write_fully(file, path, piece);
}

Status FileBlobStore::finish(const PublicKey& owner, const Hash& id) {
  const fs::path partial = partial_path(owner, id);
  {
    FileHandle file(::open(partial.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_error(partial, "open");
    if (::fsync(file.get()) != 0) return system_error(partial, "fsync");
  }
  {
    MUSTER_TRY(const MappedFile mapped, MappedFile::open(partial, MappedFile::Access::kRead));
    const auto actual = compression::blob_id(mapped.bytes());
    if (!actual || *actual != id) {
      drop_partial(owner, id);
      if (!actual) return actual.error();
      return Error{Errc::kBadHash, "blob " + id.brief() + " has other content"};
    }
  }
  // The verified file becomes the blob: no second copy is written.
  const fs::path path = path_of(id);
  MUSTER_TRY_STATUS(make_folders(path.parent_path()));
  if (::rename(partial.c_str(), path.c_str()) != 0) return system_error(path, "rename");
  return sync_directory(path.parent_path());
}

void FileBlobStore::drop(const Hash& id) { ::unlink(path_of(id).c_str()); }

void FileBlobStore::drop_partial(const PublicKey& owner, const Hash& id) {
  ::unlink(partial_path(owner, id).c_str());
}

void FileBlobStore::drop_partials() {
  const auto partials = entries_of(folder_ / "partial");
  if (!partials) return;  // what cannot be listed is dropped at the next end of a round
  for (const fs::path& partial : *partials) ::unlink(partial.c_str());
}

}  // namespace muster::store
