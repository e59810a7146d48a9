// The default corpus: a folder of C++ headers as bytes, equal on every machine that has the same
// folder.
//
// All .h and .hpp files below it, by path, one after the other, cut in blocks of 64 KiB (the rest
// is dropped); every fiftieth block is held out; in each block as many sequences of T + 1 bytes as
// fit, so that none crosses a block. Thread safety: pure but for the files.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace muster::trainer {

inline constexpr std::uint32_t kCorpusBlockBytes = 65536;

struct CorpusPaths {
  std::filesystem::path train;
  std::filesystem::path held_out;
};

// Writes both token files into `target`. Errors: kNotFound (no headers below `source`), kIo,
// kNoSpace.
[[nodiscard]] Result<CorpusPaths> build_corpus(const std::filesystem::path& source,
                                               const std::filesystem::path& target,
                                               std::uint32_t context);

}  // namespace muster::trainer
