// SentencePiece models (github.com/google/sentencepiece), by Debian's library.
//
// Thread safety: see Tokenizer.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "trainer/data/tokenizer.h"

namespace muster::trainer {

// `name` opens the messages. Errors: kMalformed (not a model).
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> make_sentencepiece_tokenizer(
    ByteSpan model, const std::string& name);

}  // namespace muster::trainer
