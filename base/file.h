// Files: bounded reading, durable writing, memory mapping. Every error names the path and what the
// operating system said; a full disk is kNoSpace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace muster {

// The error for the current errno.
[[nodiscard]] Error system_error(const std::filesystem::path& path, std::string_view doing);

// Errors: kNotFound, kTooLarge (over bytes_max), kIo.
[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::size_t bytes_max);

// Creates and syncs the file and its folder's entry. Errors: kAlreadyExists, kNoSpace, kIo.
[[nodiscard]] Status write_new_file(const std::filesystem::path& path, ByteSpan content,
                                    unsigned mode = 0644);

// Replaces the file as a whole: temporary file, fsync, rename, fsync of the folder. After a crash
// either the old content or the new one is there.
[[nodiscard]] Status replace_file(const std::filesystem::path& path, ByteSpan content,
                                  unsigned mode = 0644);

// The same for content that is made piece by piece: `fill` hands it to the sink it is given.
using FileSink = std::function<Status(ByteSpan)>;
[[nodiscard]] Status replace_file_with(const std::filesystem::path& path,
                                       const std::function<Status(const FileSink&)>& fill,
                                       unsigned mode = 0644);

[[nodiscard]] Status sync_directory(const std::filesystem::path& directory);

// A file descriptor that closes itself.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();
  [[nodiscard]] int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// Writes all of `bytes` at the descriptor's position.
[[nodiscard]] Status write_fully(const FileHandle& file, const std::filesystem::path& path,
                                 ByteSpan bytes);

// A file's content in memory, for as long as the object lives. Read-only or shared and writable.
class MappedFile {
 public:
  enum class Access { kRead, kReadWrite };
  MappedFile() = default;
  // Errors: kNotFound, kIo.
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path, Access access);
  // Creates the file, or resizes it, to `bytes` zero bytes where it grows; mapped for writing.
  [[nodiscard]] static Result<MappedFile> create(const std::filesystem::path& path,
                                                 std::uint64_t bytes);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  [[nodiscard]] ByteSpan bytes() const { return {data_, size_}; }
  [[nodiscard]] std::span<std::uint8_t> writable() { return {data_, size_}; }
  // How the content will be read: kRandom spares reading ahead, kSequential reads far ahead. A
  // hint: the content is the same without it.
  enum class Pattern { kRandom, kSequential };
  void advise(Pattern pattern) const;
  // The part, of bytes(), is not needed soon: it leaves this process's memory and is read again
  // when touched. REQUIRES: it begins at a multiple of the page size; nothing in it was written.
  void release(ByteSpan part) const;
  // Durable when it returns.
  [[nodiscard]] Status sync() const;

 private:
  MappedFile(std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace muster
