#include "trainer/hf/tokenizer_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "trainer/data/byte_tokenizer.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kTokenizerBytesMax = 64u << 20;
constexpr const char* kTokenizerJson = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";

bool has(const std::vector<TokenizerFile>& files, std::string_view name) {
  return std::any_of(files.begin(), files.end(),
                     [&](const TokenizerFile& file) { return file.name == name; });
}

Result<std::vector<TokenizerFile>> files_of(const fs::path& place) {
  std::vector<TokenizerFile> files;
  if (std::error_code ignored; !fs::is_directory(place, ignored)) return files;
  for (const char* name :
       {kSentencePieceFile, kTokenizerJson, kTokenizerConfig, "special_tokens_map.json"}) {
    auto content = read_file(place / name, kTokenizerBytesMax);
    if (content)
      files.push_back({name, std::string(content->begin(), content->end())});
    else if (content.error().code != Errc::kNotFound)
      return std::move(content).error();
  }
  return files;
}

// For AutoTokenizer: the class that reads what is there.
std::string config_for(const std::vector<TokenizerFile>& files, std::uint32_t context) {
  if (has(files, kTokenizerJson)) {
    return nlohmann::ordered_json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                  {"model_max_length", context},
                                  {"clean_up_tokenization_spaces", false}}
               .dump(1) +
           "\n";
  }
  return nlohmann::ordered_json{{"tokenizer_class", "LlamaTokenizer"},
                                {"model_max_length", context},
                                {"add_bos_token", false},
                                {"add_eos_token", false},
                                {"legacy", false},
                                {"clean_up_tokenization_spaces", false}}
             .dump(1) +
         "\n";
}

}  // namespace

Result<ExportedTokenizer> tokenizer_for_export(const fs::path& folder,
                                               const state::ModelSpec& model) {
  if (!folder.empty()) {
    for (const fs::path& place : {folder, folder / "data"}) {
      ExportedTokenizer found{TokenizerSource::kCopied, {}, {}};
      MUSTER_TRY(found.files, files_of(place));
      const bool sentencepiece = has(found.files, kSentencePieceFile);
      if (!sentencepiece && !has(found.files, kTokenizerJson)) continue;
      if (sentencepiece) {
        MUSTER_TRY(const auto tokenizer, open_tokenizer(place));
        if (tokenizer->vocab() > model.vocab)
          return Error{Errc::kInvalidArgument,
                       place.string() + ": a tokenizer of " + std::to_string(tokenizer->vocab()) +
                           " tokens, the model has " + std::to_string(model.vocab)};
        found.end = tokenizer->end_of_document();
      }
      if (!has(found.files, kTokenizerConfig))
        found.files.push_back({kTokenizerConfig, config_for(found.files, model.context)});
      return found;
    }
  }
  if (model.vocab != kByteVocab) return ExportedTokenizer{};
  return ExportedTokenizer{TokenizerSource::kBytes,
                           {{kTokenizerJson, byte_tokenizer_json()},
                            {kTokenizerConfig, byte_tokenizer_config_json(model.context)}},
                           {}};
}

}  // namespace muster::trainer
