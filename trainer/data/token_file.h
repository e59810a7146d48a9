// Token files: llm.c's `.bin` format, memory-mapped.
//
// Header of 256 int32: magic 20240520, version 1, token count, then uint16 tokens; or magic
// 20240801, version 7, token count, then uint32. A data set of context T is cut in sequences of T +
// 1 tokens: sequence s is tokens [s · (T + 1), (s + 1) · (T + 1)). Thread safety: reading is const.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/file.h"
#include "base/hash.h"
#include "base/result.h"

namespace muster::trainer {

// The most tokens in one file: readers of the format take its count for an int32.
inline constexpr std::uint64_t kShardTokensMax = (1ull << 31) - 1;

// Vocabularies up to this are written 16 bits wide.
inline constexpr std::uint32_t kNarrowVocabMax = 65536;

// The header of a file of `tokens` tokens.
[[nodiscard]] Bytes token_header(bool wide, std::uint32_t tokens);

class TokenFile {
 public:
  // Errors: kNotFound, kMalformed (no token file), kVersion, kTruncated (shorter than its count
  // says).
  [[nodiscard]] static Result<TokenFile> open(const std::filesystem::path& path);

  [[nodiscard]] std::uint64_t tokens() const { return tokens_; }
  [[nodiscard]] std::uint64_t sequences(std::uint32_t context) const {
    return tokens_ / (context + 1);
  }
  // Copies tokens [first, first + out.size()). Errors: kNotFound (outside the file).
  [[nodiscard]] Status read(std::uint64_t first, std::span<std::int64_t> out) const;
  // The same as 32-bit numbers; returns the largest, 0 of none. One of 2³¹ or more is negative in
  // `out`. REQUIRES: first + out.size() <= tokens().
  std::uint32_t widen(std::uint64_t first, std::span<std::int32_t> out) const;
  // How the tokens will be read, see MappedFile.
  void advise(MappedFile::Pattern pattern) const { file_.advise(pattern); }
  // Merkle root over 4 MiB parts of the whole file: the data root of a run.
  [[nodiscard]] Hash root() const;

 private:
  TokenFile(MappedFile file, std::uint64_t tokens, bool wide)
      : file_(std::move(file)), tokens_(tokens), wide_(wide) {}
  MappedFile file_;
  std::uint64_t tokens_;
  bool wide_;  // uint32 tokens
};

// Writes bytes as uint16 tokens 0..255, replacing the file as a whole.
[[nodiscard]] Status write_byte_tokens(const std::filesystem::path& path, ByteSpan bytes);

}  // namespace muster::trainer
