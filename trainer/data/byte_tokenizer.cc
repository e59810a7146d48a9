#include "trainer/data/byte_tokenizer.h"

#include <nlohmann/json.hpp>

namespace muster::trainer {
namespace {

using Json = nlohmann::ordered_json;

// Bytes that are printable characters of Latin-1 stand for themselves.
bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

}  // namespace

std::string byte_symbol(std::uint8_t byte) {
  unsigned code_point = byte;
  if (!stands_for_itself(byte)) {
    // The others take the code points from U+0100 on, in order.
    code_point = 256;
    for (unsigned before = 0; before < byte; ++before)
      if (!stands_for_itself(before)) ++code_point;
  }
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xc0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3f))};
}

std::string byte_tokenizer_json() {
  Json vocab = Json::object();
  for (unsigned byte = 0; byte < kByteVocab; ++byte)
    vocab[byte_symbol(static_cast<std::uint8_t>(byte))] = byte;
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", false}};
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", Json::array()},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", byte_level},
                     {"post_processor", nullptr},
                     {"decoder", byte_level},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", vocab},
                       {"merges", Json::array()}}}};
  return json.dump(1) + "\n";
}

std::string byte_tokenizer_config_json(std::uint32_t context) {
  const Json json = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                     {"model_max_length", context},
                     {"clean_up_tokenization_spaces", false},
                     {"add_prefix_space", false}};
  return json.dump(1) + "\n";
}

}  // namespace muster::trainer
