#include "trainer/data/tokenizer.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"
#include "tests/trainer/data/sentencepiece_model.h"
#include "trainer/data/byte_tokenizer.h"

namespace muster::trainer {
namespace {

using muster::testing::kPieces;
using muster::testing::sentencepiece_model;
using muster::testing::TemporaryDirectory;

const char* const kText = "the miner pays every peer.";

void write(const std::filesystem::path& path, std::string_view content) {
  MUSTER_CHECK(replace_file(path, bytes_of(content)).has_value(), path.string());
}

// A folder's manifest that names this tokenizer.
std::string manifest_with(const Manifest::Tokenizer& tokenizer) {
  return write_manifest({.vocab = 256, .context = 8, .tokenizer = tokenizer, .splits = {}});
}

TEST(Tokenizer, BytesAreTheirOwnTokens) {
  const auto tokenizer = make_byte_tokenizer();
  EXPECT_EQ(tokenizer->vocab(), 256u);
  EXPECT_EQ(tokenizer->end_of_document(), std::nullopt);
  EXPECT_EQ(tokenizer->encode("a\xff").value(), (std::vector<std::int32_t>{'a', 255}));
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(all).value()).value(), all);
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{256}).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{-1}).error().code, Errc::kInvalidArgument);
}

TEST(Tokenizer, SentencePieceGivesTextBack) {
  TemporaryDirectory directory;
  write(directory / "m.model", sentencepiece_model());
  const auto tokenizer = load_tokenizer(directory / "m.model").value();
  EXPECT_EQ(tokenizer->vocab(), static_cast<std::uint32_t>(kPieces));
  EXPECT_EQ(tokenizer->end_of_document(), 2);
  const auto ids = tokenizer->encode(kText).value();
  EXPECT_LT(ids.size(), std::string_view(kText).size());
  EXPECT_EQ(tokenizer->decode(ids).value(), kText);
}

TEST(Tokenizer, SentencePieceRefusesIdsOutsideItsVocabulary) {
  TemporaryDirectory directory;
  write(directory / "m.model", sentencepiece_model());
  const auto tokenizer = load_tokenizer(directory / "m.model").value();
  for (const std::int32_t id : {-1, kPieces, 1 << 30})
    EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{id}).error().code,
              Errc::kInvalidArgument);
}

TEST(Tokenizer, NamesAFileThatIsNoModel) {
  TemporaryDirectory directory;
  write(directory / "m.model", "no model");
  const auto tokenizer = load_tokenizer(directory / "m.model");
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, Errc::kMalformed);
  EXPECT_NE(tokenizer.error().message.find("m.model"), std::string::npos);
  EXPECT_EQ(load_tokenizer(directory / "none").error().code, Errc::kNotFound);
}

TEST(Tokenizer, TruncatedModelsDoNotCrash) {
  TemporaryDirectory directory;
  const std::string& model = sentencepiece_model();
  for (std::size_t size = 0; size < model.size(); size += 9973) {
    write(directory / "m.model", std::string_view(model).substr(0, size));
    if (const auto tokenizer = load_tokenizer(directory / "m.model")) {
      EXPECT_GT((*tokenizer)->vocab(), 0u);
    }
  }
}

TEST(OpenTokenizer, FindsThatOfAPackedFolder) {
  TemporaryDirectory directory;
  write(directory / "tokenizer.model", sentencepiece_model());
  write(directory / kManifestFile, manifest_with({"sentencepiece", "tokenizer.model",
                                                  sha256(bytes_of(sentencepiece_model()))}));
  EXPECT_EQ(open_tokenizer(directory.path()).value()->vocab(), static_cast<std::uint32_t>(kPieces));
  write(directory / kManifestFile, manifest_with({}));
  EXPECT_EQ(open_tokenizer(directory.path()).value()->vocab(), 256u);
}

TEST(OpenTokenizer, FindsThatOfARunsData) {
  TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "data");
  write(directory / "data/manifest.json", manifest_with({}));
  EXPECT_EQ(open_tokenizer(directory.path()).value()->vocab(), 256u);
}

TEST(OpenTokenizer, FindsThatOfAnExportedModel) {
  TemporaryDirectory directory;
  write(directory / "tokenizer.json", byte_tokenizer_json());
  EXPECT_EQ(open_tokenizer(directory.path()).value()->vocab(), 256u);
  write(directory / "tokenizer.model", sentencepiece_model());
  EXPECT_EQ(open_tokenizer(directory.path()).value()->vocab(), static_cast<std::uint32_t>(kPieces));
}

TEST(OpenTokenizer, RefusesAnotherFileThanTheManifestWasMadeWith) {
  TemporaryDirectory directory;
  write(directory / "tokenizer.model", sentencepiece_model());
  write(directory / kManifestFile,
        manifest_with({"sentencepiece", "tokenizer.model", sha256(bytes_of("other"))}));
  EXPECT_EQ(open_tokenizer(directory.path()).error().code, Errc::kBadHash);
}

TEST(OpenTokenizer, SaysWhenOnlyPythonCanReadIt) {
  TemporaryDirectory directory;
  write(directory / "tokenizer.json", "{}");
  EXPECT_EQ(open_tokenizer(directory.path()).error().code, Errc::kInvalidArgument);
  write(directory / kManifestFile,
        manifest_with({"huggingface", "tokenizer.json", sha256(bytes_of("{}"))}));
  EXPECT_NE(open_tokenizer(directory.path()).error().message.find("Python"), std::string::npos);
}

TEST(OpenTokenizer, SaysWhereThereIsNone) {
  TemporaryDirectory directory;
  EXPECT_EQ(open_tokenizer(directory.path()).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
