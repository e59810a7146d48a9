// ShardWriter: a split's tokens as a row of token files, written as they come.
//
// A file carries a temporary name until it is whole and on disk, so whatever happens no half one
// has a final name. Memory does not depend on the number of tokens. Thread safety: one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "trainer/data/manifest.h"

namespace muster::trainer {

class ShardWriter {
 public:
  // Files folder/split-00000.bin, …, of `shard_tokens` tokens each but for the last one, 16 bits
  // wide where `vocab` fits. REQUIRES: 1 <= shard_tokens <= kShardTokensMax.
  ShardWriter(std::filesystem::path folder, std::string split, std::uint32_t vocab,
              std::uint64_t shard_tokens);

  // REQUIRES: tokens in [0, vocab). Errors: kNoSpace, kIo.
  [[nodiscard]] Status append(std::span<const std::int32_t> tokens);
  // Closes the last file. Call once, at the end.
  [[nodiscard]] Result<Split> finish();
  // Deletes what was written, unfinished or not.
  void discard();
  [[nodiscard]] std::uint64_t tokens() const { return closed_ + tokens_; }

 private:
  [[nodiscard]] std::filesystem::path temporary() const;
  [[nodiscard]] Status open();
  [[nodiscard]] Status flush();
  [[nodiscard]] Status close();

  std::filesystem::path folder_;
  std::string split_name_;
  bool wide_;
  std::uint64_t shard_tokens_;
  Split split_;               // of the files that are whole
  std::uint64_t closed_ = 0;  // tokens in them
  FileHandle file_;           // the one being written
  std::uint64_t tokens_ = 0;  // in it
  Bytes buffer_;              // not yet written to it
};

}  // namespace muster::trainer
