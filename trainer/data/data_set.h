// DataSet: numbered token sequences, from one token file or from all shards of a packed folder.
//
// A sequence of context T is T + 1 tokens and does not cross shards; what is left at a shard's end
// is not used. Files are mapped: a data set costs addresses, not memory. They must not shrink while
// it lives. Thread safety: const after open; read from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "trainer/data/manifest.h"
#include "trainer/data/token_file.h"

namespace muster::trainer {

class DataSet {
 public:
  // `path`: a token file; or a folder with a manifest, of which `split` is taken.
  // Errors: those of TokenFile::open and read_manifest; kNotFound (no such split), kInvalidArgument
  // (not one sequence, a packed vocabulary over `vocab`), kBadHash (a shard with another count than
  // its manifest says).
  [[nodiscard]] static Result<DataSet> open(const std::filesystem::path& path,
                                            std::uint32_t context, std::uint32_t vocab,
                                            const std::string& split = kTrainSplit);

  [[nodiscard]] std::uint32_t context() const { return context_; }
  [[nodiscard]] std::uint64_t sequences() const { return ends_.back(); }
  // In all files, also those left over at a shard's end.
  [[nodiscard]] std::uint64_t tokens() const { return tokens_; }
  // Of a folder the root that its manifest has, which verify() checks; of one file it is computed,
  // which reads it all.
  [[nodiscard]] Hash root() const;
  // verify_shard() for all of a folder's.
  [[nodiscard]] Status verify() const;

  // Row i of `out` becomes sequence ids[i]; `out` has ids.size() · (context + 1) numbers.
  // Errors: kNotFound (an id that the data set does not have), kInvalidArgument (a token outside
  // the vocabulary); `out` is then unspecified.
  [[nodiscard]] Status read(std::span<const std::uint64_t> ids, std::span<std::int32_t> out) const;

 private:
  struct File {
    std::filesystem::path path;
    TokenFile tokens;
  };
  DataSet() = default;
  [[nodiscard]] Status add(const std::filesystem::path& path);
  [[nodiscard]] Status read_one(std::uint64_t id, std::span<std::int32_t> row) const;

  std::uint32_t context_ = 0, vocab_ = 0;
  std::uint64_t tokens_ = 0;
  std::filesystem::path folder_;
  std::vector<File> files_;
  std::vector<std::uint64_t> ends_;  // sequences in the files up to and with each
  Split split_;                      // empty for one file
};

// Reads a packed folder's shard and compares it with the manifest.
// Errors: those of TokenFile::open; kBadHash, naming the file.
[[nodiscard]] Status verify_shard(const std::filesystem::path& folder, const Shard& shard);

}  // namespace muster::trainer
