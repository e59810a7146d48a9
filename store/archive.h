// Archive: an append-only, hash-chained log of a run's signed messages: the audit bundle with the
// blobs.
//
// File: "MUSTERAR", u32 version, then entries {u32 length, bytes, chain}, chainᵢ = H(chainᵢ₋₁,
// bytesᵢ). A torn tail after a crash is cut off on opening. Thread safety: one thread.
#pragma once

#include <filesystem>
#include <functional>

#include "base/file.h"
#include "base/hash.h"

namespace muster::store {

class Archive {
 public:
  // Opens for appending; creates the file. Errors: kVersion, kMalformed (not an archive), kIo.
  [[nodiscard]] static Result<Archive> open(const std::filesystem::path& path);
  // Errors: kNoSpace, kIo; the archive is then as it was.
  [[nodiscard]] Status append(ByteSpan entry);
  [[nodiscard]] Status sync();
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  Archive(FileHandle file, std::filesystem::path path, Hash chain, std::uint64_t count,
          std::uint64_t bytes)
      : file_(std::move(file)),
        path_(std::move(path)),
        chain_(chain),
        count_(count),
        bytes_(bytes) {}
  FileHandle file_;
  std::filesystem::path path_;
  Hash chain_;
  std::uint64_t count_;
  std::uint64_t bytes_;  // up to the end of the last entry
};

// Reads a whole archive in order, checking the chain. Errors: kBadHash (names the entry),
// kTruncated, kVersion, kMalformed, and the visitor's.
[[nodiscard]] Status read_archive(const std::filesystem::path& path,
                                  const std::function<Status(ByteSpan)>& visit);

}  // namespace muster::store
