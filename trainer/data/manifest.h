// manifest.json of a packed folder: its token files, how many tokens each has, their roots, the
// tokenizer.
//
//   {"format": "muster-tokens", "version": 1, "vocab": 256, "context": 1024,
//    "tokenizer": {"kind": "bytes"},
//    "splits": {"train": {"tokens": N, "root": HEX,
//                         "shards": [{"file": "train-00000.bin", "tokens": N, "root": HEX}, …]},
//               "held_out": {…}}}
//
// A shard's root is TokenFile::root(), a split's the Merkle root over its shards' in order.
// Thread safety: values and pure functions, but for the files.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"

namespace muster::trainer {

inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr const char* kTrainSplit = "train";
inline constexpr const char* kHeldOutSplit = "held_out";

struct Shard {
  std::string file;  // a plain name in the manifest's folder
  std::uint64_t tokens = 0;
  Hash root;
  auto operator<=>(const Shard&) const = default;
};

struct Split {
  std::vector<Shard> shards;
  [[nodiscard]] std::uint64_t tokens() const;
  [[nodiscard]] Hash root() const;
  auto operator<=>(const Split&) const = default;
};

struct Manifest {
  struct Tokenizer {
    std::string kind = "bytes";  // "bytes", "sentencepiece" or "huggingface"
    std::string file;            // its file in the folder; empty for bytes
    Hash sha256;                 // of that file
    auto operator<=>(const Tokenizer&) const = default;
  };
  std::uint32_t vocab = 0;
  std::uint32_t context =
      0;  // shards hold whole sequences of context + 1 tokens, but for the last ones
  Tokenizer tokenizer;
  std::map<std::string, Split> splits;
  auto operator<=>(const Manifest&) const = default;
};

[[nodiscard]] std::string write_manifest(const Manifest& manifest);

// Errors: kVersion, kMalformed (JSON, fields, file names with folders, sums and roots that do not
// follow from the shards).
[[nodiscard]] Result<Manifest> parse_manifest(ByteSpan json);

// Of the folder. Errors: those above naming the file; kNotFound with the mend, kTooLarge, kIo.
[[nodiscard]] Result<Manifest> read_manifest(const std::filesystem::path& folder);

}  // namespace muster::trainer
