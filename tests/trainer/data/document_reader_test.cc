#include "trainer/data/document_reader.h"

#include <gtest/gtest.h>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

namespace fs = std::filesystem;

class DocumentReaderTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, std::string_view content) {
    fs::create_directories((directory_ / name).parent_path());
    MUSTER_CHECK(replace_file(directory_ / name, bytes_of(content)).has_value(), name);
    return directory_ / name;
  }
  static std::vector<std::string> read(std::vector<fs::path> sources,
                                       DocumentOptions options = {}) {
    DocumentReader reader(std::move(sources), std::move(options));
    std::vector<std::string> documents(1);
    for (;;) {
      const auto part = reader.next();
      if (!part) {
        ADD_FAILURE() << part.error().message;
        break;
      }
      if (!*part) break;
      documents.back() += (*part)->text;
      if ((*part)->ends) documents.emplace_back();
    }
    EXPECT_TRUE(documents.back().empty()) << "a document without an end";
    documents.pop_back();
    return documents;
  }
  static Error error_of(const fs::path& source, DocumentOptions options = {}) {
    DocumentReader reader({source}, std::move(options));
    for (;;) {
      const auto part = reader.next();
      if (!part) return part.error();
      MUSTER_CHECK(part->has_value(), "no error came");
    }
  }
  muster::testing::TemporaryDirectory directory_;
};

TEST_F(DocumentReaderTest, AFileIsADocument) {
  EXPECT_EQ(read({write("a.txt", "first\nfile"), write("b.txt", "second")}),
            (std::vector<std::string>{"first\nfile", "second"}));
}

TEST_F(DocumentReaderTest, ALongFileIsOneDocumentInParts) {
  std::string text;
  for (int i = 0; text.size() < 5 * kTextPartBytes; ++i) text += "line " + std::to_string(i) + "\n";
  const fs::path path = write("a.txt", text);
  EXPECT_EQ(read({path}), (std::vector<std::string>{text}));
  DocumentReader reader({path}, {});
  const auto part = reader.next().value();
  EXPECT_LE(part->text.size(), kTextPartBytes);
  EXPECT_EQ(part->text.back(), '\n');
  EXPECT_FALSE(part->ends);
}

TEST_F(DocumentReaderTest, ALineIsADocumentInJsonLines) {
  EXPECT_EQ(
      read({write(
          "a.jsonl",
          "{\"text\": \"one\", \"id\": 1}\n\n{\"text\": \"tw\\u00f6\\n\"}\r\n{\"text\": \"\"}\n")}),
      (std::vector<std::string>{"one", "tw\u00f6\n"}));
}

TEST_F(DocumentReaderTest, TakesAnotherFieldAndFormatByOption) {
  DocumentOptions options;
  options.field = "content";
  options.format = DocumentOptions::Format::kJsonLines;
  EXPECT_EQ(read({write("a", "{\"content\": \"c\"}")}, options), (std::vector<std::string>{"c"}));
  options.format = DocumentOptions::Format::kText;
  EXPECT_EQ(read({write("a.jsonl", "{}")}, options), (std::vector<std::string>{"{}"}));
}

TEST_F(DocumentReaderTest, BadLinesAreNamedByFileAndLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"text\": \"a\"}\n{\"text\": \"b\"", "bad.jsonl:2: not JSON"},
      {"{\"text\": \"a\"}\n\n[1]\n", "bad.jsonl:3: no JSON object with a text \"text\""},
      {"{\"text\": 1}", "bad.jsonl:1: no JSON object"},
      {"{\"text\": \"\xff\"}", "bad.jsonl:1: not JSON"},
      {"{\"text\": \"a\", \"text\": \"b\"}", "bad.jsonl:1: \"text\" twice"}};
  for (const auto& [content, message] : cases) {
    const Error error = error_of(write("bad.jsonl", content));
    EXPECT_EQ(error.code, Errc::kMalformed);
    EXPECT_NE(error.message.find(message), std::string::npos) << error.message;
  }
  std::string deep(1000, '[');
  EXPECT_EQ(error_of(write("bad.jsonl", deep)).code, Errc::kMalformed);
}

TEST_F(DocumentReaderTest, FoldersAreReadByNameWithoutHiddenFiles) {
  write("folder/b.txt", "b");
  write("folder/a/z.txt", "az");
  write("folder/a.txt", "a.txt");
  write("folder/c/1.jsonl", "{\"text\": \"c1\"}");
  write("folder/.hidden", "h");
  write("folder/.git/x", "x");
  fs::create_symlink(directory_ / "folder", directory_ / "folder/loop");
  EXPECT_EQ(read({directory_ / "folder"}), (std::vector<std::string>{"az", "a.txt", "b", "c1"}));
}

TEST_F(DocumentReaderTest, ExtensionsSelectFilesOfFoldersOnly) {
  write("folder/a.h", "h");
  write("folder/b.cc", "cc");
  DocumentOptions options;
  options.extensions = {".h"};
  EXPECT_EQ(read({directory_ / "folder", write("c.txt", "named")}, options),
            (std::vector<std::string>{"h", "named"}));
}

TEST_F(DocumentReaderTest, NamesAMissingSource) {
  const Error error = error_of(directory_ / "none");
  EXPECT_EQ(error.code, Errc::kNotFound);
  EXPECT_NE(error.message.find("none"), std::string::npos);
}

}  // namespace
}  // namespace muster::trainer
