// TextStream: the text of tokens that come one by one.
//
// A token may be a part of a character, and how it reads may depend on what stands before it
// (SentencePiece drops a blank at the start), so a token is decoded behind some earlier ones and
// what they say already is left out. Thread safety: none; one owner. The tokenizer must outlive it.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/tokenizer.h"

namespace muster::trainer {

class TextStream {
 public:
  // Behind `before`. Errors: those of decode.
  [[nodiscard]] static Result<TextStream> make(const Tokenizer& tokenizer,
                                               std::span<const std::int32_t> before);
  // What `token` adds; empty where it does not yet end a character. Errors: those of decode.
  [[nodiscard]] Result<std::string> next(std::int32_t token);

 private:
  explicit TextStream(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  [[nodiscard]] Status start_behind(std::span<const std::int32_t> before);

  const Tokenizer* tokenizer_;
  std::vector<std::int32_t> tokens_;
  std::size_t said_ = 0;  // bytes of their text that were given out
};

}  // namespace muster::trainer
