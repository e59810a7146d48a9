// LockFile: one process at a time in a folder.
//
// The lock is the kernel's (flock): it ends with the process, however that ends. Thread safety:
// values.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"

namespace muster {

class LockFile {
 public:
  // Locks `path`, which is made where it is missing and stays afterwards; `who` (a short text: name
  // and number of the process) is written into it. Errors: kAlreadyExists (another process has it:
  // the message says which), kIo, kNoSpace.
  [[nodiscard]] static Result<LockFile> take(const std::filesystem::path& path,
                                             const std::string& who);
  // Who holds the lock of `path` now; nothing where nobody does.
  [[nodiscard]] static std::optional<std::string> holder(const std::filesystem::path& path);

 private:
  explicit LockFile(FileHandle file) : file_(std::move(file)) {}
  FileHandle file_;
};

}  // namespace muster
