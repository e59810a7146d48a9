// Tokenizer: text to token ids and back.
//
// Built in are bytes (token ids are byte values); SentencePiece reads `.model` files. A folder of
// packed data, of a run or of an exported model says which one is its own. Thread safety: const;
// encode and decode from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "trainer/data/manifest.h"

namespace muster::trainer {

inline constexpr const char* kSentencePieceFile = "tokenizer.model";

// A file that makes the tokenizer again where it lies beside a model.
struct TokenizerFile {
  std::string name;
  std::string content;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  [[nodiscard]] virtual std::uint32_t vocab() const = 0;
  // What stands between documents, where the tokenizer has such a token.
  [[nodiscard]] virtual std::optional<std::int32_t> end_of_document() const = 0;
  // Ids in [0, vocab()). Errors: kMalformed (text that the model cannot take).
  [[nodiscard]] virtual Result<std::vector<std::int32_t>> encode(std::string_view text) const = 0;
  // Errors: kInvalidArgument (an id outside the vocabulary).
  [[nodiscard]] virtual Result<std::string> decode(std::span<const std::int32_t> ids) const = 0;
  // As a manifest names it, and the file that goes with it, if any.
  [[nodiscard]] virtual Manifest::Tokenizer description() const = 0;
  [[nodiscard]] virtual std::vector<TokenizerFile> files() const = 0;
};

[[nodiscard]] std::unique_ptr<Tokenizer> make_byte_tokenizer();

// `name`: "bytes", or a SentencePiece model's path. Errors: kNotFound, kMalformed.
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::string& name);

// The tokenizer of a folder: what its manifest.json names; else its tokenizer.model; else its
// tokenizer.json where that is the byte tokenizer's; else what the folder `data` in it has. Errors:
// kNotFound (none of these), kBadHash (another file than the manifest was made with),
// kInvalidArgument (a tokenizer that only Python can read).
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> open_tokenizer(
    const std::filesystem::path& folder);

}  // namespace muster::trainer
