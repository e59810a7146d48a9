#include "trainer/data/tokenizer.h"

#include "base/file.h"
#include "trainer/data/byte_tokenizer.h"
#include "trainer/data/sentencepiece_tokenizer.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kTokenizerBytesMax = 64u << 20;

class ByteTokenizer : public Tokenizer {
 public:
  std::uint32_t vocab() const override { return kByteVocab; }
  std::optional<std::int32_t> end_of_document() const override { return std::nullopt; }

  Result<std::vector<std::int32_t>> encode(std::string_view text) const override {
    const ByteSpan bytes = bytes_of(text);
    return std::vector<std::int32_t>(bytes.begin(), bytes.end());
  }
  Result<std::string> decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (id < 0 || id >= static_cast<std::int32_t>(kByteVocab))
        return Error{Errc::kInvalidArgument, "token " + std::to_string(id) + " is no byte"};
      text.push_back(static_cast<char>(id));
    }
    return text;
  }
  Manifest::Tokenizer description() const override { return {}; }
  std::vector<TokenizerFile> files() const override {
    return {{"tokenizer.json", byte_tokenizer_json()}};
  }
};

Error only_python(const fs::path& path) {
  return {Errc::kInvalidArgument,
          path.string() +
              ": this tokenizer needs Python's tokenizers package; muster itself "
              "reads bytes and SentencePiece's tokenizer.model"};
}

// Reads the file only where its hash is `expected`.
Result<std::unique_ptr<Tokenizer>> open_described(const fs::path& folder,
                                                  const Manifest::Tokenizer& described) {
  if (described.kind == "bytes") return make_byte_tokenizer();
  const fs::path path = folder / described.file;
  if (described.kind != "sentencepiece") return only_python(path);
  MUSTER_TRY(const Bytes content, read_file(path, kTokenizerBytesMax));
  if (sha256(content) != described.sha256)
    return Error{Errc::kBadHash,
                 path.string() + ": not the file that the manifest was made with; copy it again"};
  return make_sentencepiece_tokenizer(content, path.string());
}

// Null: the folder has no tokenizer.
Result<std::unique_ptr<Tokenizer>> find_tokenizer(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / kManifestFile, ignored)) {
    MUSTER_TRY(const Manifest manifest, read_manifest(folder));
    return open_described(folder, manifest.tokenizer);
  }
  if (fs::exists(folder / kSentencePieceFile, ignored))
    return load_tokenizer(folder / kSentencePieceFile);
  const fs::path json = folder / "tokenizer.json";
  if (!fs::exists(json, ignored)) return std::unique_ptr<Tokenizer>();
  MUSTER_TRY(const Bytes content, read_file(json, kTokenizerBytesMax));
  const std::string bytes = byte_tokenizer_json();
  if (std::string_view(reinterpret_cast<const char*>(content.data()), content.size()) != bytes)
    return only_python(json);
  return make_byte_tokenizer();
}

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::string& name) {
  if (name == "bytes") return make_byte_tokenizer();
  MUSTER_TRY(const Bytes content, read_file(name, kTokenizerBytesMax));
  return make_sentencepiece_tokenizer(content, name);
}

Result<std::unique_ptr<Tokenizer>> open_tokenizer(const fs::path& folder) {
  for (const fs::path& place : {folder, folder / "data"}) {
    MUSTER_TRY(std::unique_ptr<Tokenizer> tokenizer, find_tokenizer(place));
    if (tokenizer) return tokenizer;
  }
  return Error{Errc::kNotFound, folder.string() +
                                    ": no tokenizer here (manifest.json, tokenizer.model or "
                                    "tokenizer.json)"};
}

}  // namespace muster::trainer
