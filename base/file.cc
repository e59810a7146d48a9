#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace muster {
namespace fs = std::filesystem;

Error system_error(const fs::path& path, std::string_view doing) {
  const int number = errno;
  Errc code = Errc::kIo;
  if (number == ENOENT) code = Errc::kNotFound;
  if (number == EEXIST) code = Errc::kAlreadyExists;
  if (number == EACCES || number == EPERM) code = Errc::kPermission;
  if (number == ENOSPC || number == EDQUOT) code = Errc::kNoSpace;
  if (number == EMFILE || number == ENFILE) code = Errc::kNoDescriptors;
  return {code, path.string() + ": " + std::string(doing) + ": " + std::strerror(number)};
}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Bytes> read_file(const fs::path& path, std::size_t bytes_max) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error(path, "open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(path, "stat");
  if (!S_ISREG(status.st_mode)) return Error{Errc::kIo, path.string() + ": not a regular file"};
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > bytes_max) {
    return Error{Errc::kTooLarge, path.string() + ": " + std::to_string(size) + " bytes, at most " +
                                      std::to_string(bytes_max) + " allowed"};
  }
  Bytes content(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "read");
    if (got == 0) return Error{Errc::kTruncated, path.string() + ": shrank while being read"};
    done += static_cast<std::size_t>(got);
  }
  return content;
}

Status write_fully(const FileHandle& file, const fs::path& path, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error(path, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

Status sync_directory(const fs::path& directory) {
  const fs::path target = directory.empty() ? fs::path(".") : directory;
  FileHandle handle(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) return system_error(target, "open folder");
  if (::fsync(handle.get()) != 0) return system_error(target, "fsync folder");
  return {};
}

namespace {

using Fill = std::function<Status(const FileSink&)>;

Status write_and_sync(const fs::path& path, const Fill& fill, int flags, unsigned mode) {
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode));
  if (!file) return system_error(path, "create");
  MUSTER_TRY_STATUS(fill([&](ByteSpan bytes) { return write_fully(file, path, bytes); }));
  if (::fsync(file.get()) != 0) return system_error(path, "fsync");
  return {};
}

Fill all_of(ByteSpan content) {
  return [content](const FileSink& write) { return write(content); };
}

}  // namespace

Status write_new_file(const fs::path& path, ByteSpan content, unsigned mode) {
  MUSTER_TRY_STATUS(write_and_sync(path, all_of(content), O_EXCL, mode));
  return sync_directory(path.parent_path());
}

Status replace_file(const fs::path& path, ByteSpan content, unsigned mode) {
  return replace_file_with(path, all_of(content), mode);
}

Status replace_file_with(const fs::path& path, const Fill& fill, unsigned mode) {
  fs::path temporary = path;
  temporary += ".tmp";
  if (Status written = write_and_sync(temporary, fill, O_TRUNC, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "rename");
  return sync_directory(path.parent_path());
}

namespace {

Result<std::uint8_t*> map(const FileHandle& file, const fs::path& path, std::size_t size,
                          int protection) {
  if (size == 0) return static_cast<std::uint8_t*>(nullptr);
  void* data = ::mmap(nullptr, size, protection, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return system_error(path, "map");
  return static_cast<std::uint8_t*>(data);
}

}  // namespace

Result<MappedFile> MappedFile::open(const fs::path& path, Access access) {
  const bool writable = access == Access::kReadWrite;
  FileHandle file(::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
  if (!file) return system_error(path, "open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(path, "stat");
  if (!S_ISREG(status.st_mode)) return Error{Errc::kIo, path.string() + ": not a regular file"};
  const auto size = static_cast<std::size_t>(status.st_size);
  MUSTER_TRY(std::uint8_t * data,
             map(file, path, size, writable ? PROT_READ | PROT_WRITE : PROT_READ));
  return MappedFile(data, size);
}

Result<MappedFile> MappedFile::create(const fs::path& path, std::uint64_t bytes) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return system_error(path, "create");
  // posix_fallocate: a full disk is an error here instead of a SIGBUS at the first write.
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return system_error(path, "resize");
  if (bytes > 0) {
    errno = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
    if (errno != 0) return system_error(path, "allocate");
  }
  MUSTER_TRY(std::uint8_t * data, map(file, path, bytes, PROT_READ | PROT_WRITE));
  return MappedFile(data, bytes);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::advise(Pattern pattern) const {
  if (data_ != nullptr)
    (void)::madvise(data_, size_, pattern == Pattern::kRandom ? MADV_RANDOM : MADV_SEQUENTIAL);
}

void MappedFile::release(ByteSpan part) const {
  (void)::madvise(const_cast<std::uint8_t*>(part.data()), part.size(), MADV_DONTNEED);
}

Status MappedFile::sync() const {
  if (data_ != nullptr && ::msync(data_, size_, MS_SYNC) != 0)
    return system_error("mapped file", "msync");
  return {};
}

}  // namespace muster
