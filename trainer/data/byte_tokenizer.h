// tokenizer.json for the built-in byte-level tokenizer: token ids are byte values.
//
// Written as a byte-level BPE without merges, which the tokenizers and transformers libraries load
// as they are: every byte is one token, and any text comes back unchanged. Thread safety: pure
// functions.
#pragma once

#include <cstdint>
#include <string>

namespace muster::trainer {

inline constexpr std::uint32_t kByteVocab = 256;

// The printable character that byte-level BPE writes a byte as, in UTF-8 (the table of GPT-2).
[[nodiscard]] std::string byte_symbol(std::uint8_t byte);

[[nodiscard]] std::string byte_tokenizer_json();
[[nodiscard]] std::string byte_tokenizer_config_json(std::uint32_t context);

}  // namespace muster::trainer
