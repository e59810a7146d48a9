// DocumentReader: the documents of text files, JSON lines, folders and standard input, in a fixed
// order.
//
// A file whose name ends in .jsonl or .ndjson has a document per line, in a field of a JSON object;
// any other is one document, which comes in parts where it is long. Memory is bounded by the
// longest line allowed. Thread safety: one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "trainer/data/file_walk.h"
#include "trainer/data/input_file.h"

namespace muster::trainer {

struct DocumentOptions {
  enum class Format { kByName, kText, kJsonLines };
  Format format = Format::kByName;
  std::string field = "text";           // of a JSON line
  std::vector<std::string> extensions;  // of the files taken from folders, with the dot; empty: all
};

struct DocumentPart {
  std::string text;
  bool ends = true;  // the document ends with it
};

// Plain text comes in parts of about this size.
inline constexpr std::size_t kTextPartBytes = 16384;
inline constexpr std::size_t kLineBytesMax = 64u << 20;

class DocumentReader {
 public:
  // `waiting`: see InputFile.
  DocumentReader(std::vector<std::filesystem::path> sources, DocumentOptions options,
                 InputFile::Waiting waiting = {});
  // Nothing: that was the last. Empty documents are left out.
  // Errors: kNotFound, kIo; kMalformed (a line that is no JSON object with that field), kTooLarge,
  // naming FILE:LINE.
  [[nodiscard]] Result<std::optional<DocumentPart>> next();

 private:
  [[nodiscard]] Result<std::optional<DocumentPart>> next_of_file();
  [[nodiscard]] Result<std::optional<DocumentPart>> next_of_lines();

  FileWalk files_;
  DocumentOptions options_;
  InputFile::Waiting waiting_;
  std::optional<InputFile> file_;
  bool lines_ = false;  // of the file: a document each
};

}  // namespace muster::trainer
