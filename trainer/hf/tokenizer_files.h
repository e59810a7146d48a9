// The tokenizer files of an exported model. Thread safety: pure but for the files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/result.h"
#include "state/model_spec.h"
#include "trainer/data/tokenizer.h"

namespace muster::trainer {

enum class TokenizerSource { kNone, kCopied, kBytes };

struct ExportedTokenizer {
  TokenizerSource source = TokenizerSource::kNone;
  std::vector<TokenizerFile> files;
  std::optional<std::int32_t> end;  // its end-of-document token, where muster can read it
};

// What `folder` (empty: none), or the folder `data` in it, has of tokenizer.model, tokenizer.json,
// tokenizer_config.json and special_tokens_map.json, with a tokenizer_config.json where it has
// none; else the byte tokenizer for a vocabulary of 256. Errors: those of open_tokenizer;
// kInvalidArgument (more tokens than the model).
[[nodiscard]] Result<ExportedTokenizer> tokenizer_for_export(const std::filesystem::path& folder,
                                                             const state::ModelSpec& model);

}  // namespace muster::trainer
