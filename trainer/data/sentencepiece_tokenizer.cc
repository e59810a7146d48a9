#include "trainer/data/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

namespace muster::trainer {
namespace {

class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(std::string model) : model_(std::move(model)) {}

  Status load(const std::string& name) {
    if (const auto loaded = processor_.LoadFromSerializedProto(model_); !loaded.ok())
      return Error{Errc::kMalformed,
                   name + ": not a SentencePiece model: " + loaded.error_message()};
    return {};
  }

  std::uint32_t vocab() const override {
    return static_cast<std::uint32_t>(processor_.GetPieceSize());
  }
  std::optional<std::int32_t> end_of_document() const override {
    const int id = processor_.eos_id();
    return id < 0 ? std::nullopt : std::optional<std::int32_t>(id);
  }
  Result<std::vector<std::int32_t>> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    if (const auto encoded = processor_.Encode(text, &ids); !encoded.ok())
      return Error{Errc::kMalformed, std::string("SentencePiece: ") + encoded.error_message()};
    return ids;
  }
  Result<std::string> decode(std::span<const std::int32_t> ids) const override {
    for (const std::int32_t id : ids)
      if (id < 0 || id >= processor_.GetPieceSize())
        return Error{Errc::kInvalidArgument, "token " + std::to_string(id) +
                                                 " is outside the vocabulary of " +
                                                 std::to_string(processor_.GetPieceSize())};
    std::string text;
    if (const auto decoded = processor_.Decode(std::vector<int>(ids.begin(), ids.end()), &text);
        !decoded.ok())
      return Error{Errc::kMalformed, std::string("SentencePiece: ") + decoded.error_message()};
    return text;
  }
  Manifest::Tokenizer description() const override {
    return {"sentencepiece", kSentencePieceFile, sha256(bytes_of(model_))};
  }
  std::vector<TokenizerFile> files() const override { return {{kSentencePieceFile, model_}}; }

 private:
  std::string model_;
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> make_sentencepiece_tokenizer(ByteSpan model,
                                                                const std::string& name) {
  auto tokenizer = std::make_unique<SentencePieceTokenizer>(
      std::string(reinterpret_cast<const char*>(model.data()), model.size()));
  MUSTER_TRY_STATUS(tokenizer->load(name));
  if (tokenizer->vocab() == 0)
    return Error{Errc::kMalformed, name + ": a SentencePiece model without pieces"};
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace muster::trainer
