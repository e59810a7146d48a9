// Packing: documents become shards of tokens and a manifest.
//
// Documents are joined end to end, with the separator behind each; nothing is padded. Of every
// 1/held_out parts (a part is a document, or 16 KiB of a long text) the one in the middle is held
// out. Equal sources give equal bytes, whatever the number of threads, and memory does not depend
// on how much there is. Thread safety: the call uses threads of its own and returns when they are
// done.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "trainer/data/document_reader.h"
#include "trainer/data/manifest.h"
#include "trainer/data/tokenizer.h"

namespace muster::trainer {

struct PackOptions {
  DocumentOptions documents;
  std::uint32_t context = 1024;              // shards hold whole sequences of context + 1 tokens
  std::uint64_t shard_tokens = 100'000'000;  // at most, rounded down to whole sequences
  double held_out = 0.01;                    // share of the parts, 0 to 0.5
  std::optional<std::string> separator;  // text between documents instead of the tokenizer's token
  unsigned threads = 1;                  // that tokenize
};

struct PackProgress {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  // of text
  std::uint64_t tokens = 0;
};

struct PackReport {
  Manifest manifest;
  PackProgress total;
};

// Packs into `folder`, which must be empty or not exist yet. `progress` is called often, also while
// nothing comes; an error from it ends everything. After an error nothing that was written is left.
// Errors: kInvalidArgument, kAlreadyExists; kNotFound (no text at all); those of sources, tokenizer
// and disk.
[[nodiscard]] Result<PackReport> pack(const std::vector<std::filesystem::path>& sources,
                                      const std::filesystem::path& folder,
                                      const Tokenizer& tokenizer, const PackOptions& options,
                                      const std::function<Status(const PackProgress&)>& progress);

}  // namespace muster::trainer
