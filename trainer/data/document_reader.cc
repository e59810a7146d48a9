#include "trainer/data/document_reader.h"

#include <nlohmann/json.hpp>

#include "trainer/hf/json_guard.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr int kLineDepth = 64;

}  // namespace

DocumentReader::DocumentReader(std::vector<fs::path> sources, DocumentOptions options,
                               InputFile::Waiting waiting)
    : files_(std::move(sources), options.extensions),
      options_(std::move(options)),
      waiting_(std::move(waiting)) {}

Result<std::optional<DocumentPart>> DocumentReader::next() {
  for (;;) {
    if (!file_) {
      MUSTER_TRY(const auto path, files_.next());
      if (!path) return std::optional<DocumentPart>();
      MUSTER_TRY(file_, InputFile::open(*path, waiting_));
      const bool named_lines = path->extension() == ".jsonl" || path->extension() == ".ndjson";
      lines_ = options_.format == DocumentOptions::Format::kJsonLines ||
               (options_.format == DocumentOptions::Format::kByName && named_lines);
    }
    MUSTER_TRY(auto part, lines_ ? next_of_lines() : next_of_file());
    if (part) return part;
    file_.reset();
  }
}

Result<std::optional<DocumentPart>> DocumentReader::next_of_file() {
  MUSTER_TRY(const auto text, file_->part(kTextPartBytes));
  if (!text) return std::optional<DocumentPart>();
  DocumentPart part{std::string(*text), true};
  MUSTER_TRY(part.ends, file_->finished());
  return std::optional(std::move(part));
}

Result<std::optional<DocumentPart>> DocumentReader::next_of_lines() {
  for (;;) {
    MUSTER_TRY(const auto line, file_->line(kLineBytesMax));
    if (!line) return std::optional<DocumentPart>();
    if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    MUSTER_TRY(nlohmann::json object, parse_json(bytes_of(*line), kLineDepth, file_->place()));
    const auto field = object.is_object() ? object.find(options_.field) : object.end();
    if (field == object.end() || !field->is_string())
      return Error{Errc::kMalformed, file_->place() + ": no JSON object with a text \"" +
                                         options_.field + "\"; --field names another one"};
    DocumentPart part{std::move(field->get_ref<std::string&>()), true};
    if (!part.text.empty()) return std::optional(std::move(part));
  }
}

}  // namespace muster::trainer
