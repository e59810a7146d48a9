#include "trainer/data/pack.h"

#include <cmath>

#include "base/file.h"
#include "base/parallel.h"
#include "trainer/data/shard_writer.h"
#include "trainer/data/token_file.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

// Parts in memory at once.
constexpr std::size_t kBatchParts = 4096;
constexpr std::size_t kBatchBytes = 8u << 20;

Status check(const PackOptions& options) {
  const std::uint64_t width = std::uint64_t{options.context} + 1;
  if (options.context < 1 || width > kShardTokensMax)
    return Error{Errc::kInvalidArgument,
                 "context must be from 1 to " + std::to_string(kShardTokensMax - 1)};
  if (options.shard_tokens < width || options.shard_tokens > kShardTokensMax)
    return Error{Errc::kInvalidArgument,
                 "a shard holds from context + 1 = " + std::to_string(width) + " to " +
                     std::to_string(kShardTokensMax) + " tokens, not " +
                     std::to_string(options.shard_tokens)};
  if (!(options.held_out >= 0 && options.held_out <= 0.5))
    return Error{Errc::kInvalidArgument, "from 0 to 50 % of the documents can be held out"};
  return {};
}

Status make_empty_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  const bool empty = !error && fs::is_empty(folder, error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  if (!empty)
    return Error{Errc::kAlreadyExists,
                 folder.string() + " is not empty; delete it or choose another folder"};
  return {};
}

class Packer {
 public:
  using Progress = std::function<Status(const PackProgress&)>;

  Packer(const std::vector<fs::path>& sources, const fs::path& folder, const Tokenizer& tokenizer,
         const PackOptions& options, const Progress& progress)
      : folder_(folder),
        tokenizer_(tokenizer),
        options_(options),
        progress_(progress),
        reader_(sources, options.documents, [this] { return progress_(total_); }),
        train_(folder, kTrainSplit, tokenizer.vocab(), shard_tokens(options)),
        held_out_(folder, kHeldOutSplit, tokenizer.vocab(), shard_tokens(options)) {}

  Result<PackReport> run() {
    MUSTER_TRY(const std::vector<std::int32_t> separator, separator_tokens());
    for (bool more = true; more;) {
      MUSTER_TRY(const std::vector<DocumentPart> parts, read_batch());
      MUSTER_TRY(const auto tokens, encode(parts));
      for (std::size_t i = 0; i < parts.size(); ++i)
        MUSTER_TRY_STATUS(append(parts[i], tokens[i], separator));
      MUSTER_TRY_STATUS(progress_(total_));
      more = !parts.empty();
    }
    if (total_.tokens == 0) return Error{Errc::kNotFound, "no text in the sources"};
    return finish();
  }

  void discard() {
    train_.discard();
    held_out_.discard();
    std::error_code ignored;
    for (const TokenizerFile& file : tokenizer_.files()) fs::remove(folder_ / file.name, ignored);
    fs::remove(folder_, ignored);
  }

 private:
  static std::uint64_t shard_tokens(const PackOptions& options) {
    return options.shard_tokens - options.shard_tokens % (std::uint64_t{options.context} + 1);
  }

  Result<std::vector<std::int32_t>> separator_tokens() const {
    if (options_.separator) return tokenizer_.encode(*options_.separator);
    const auto end = tokenizer_.end_of_document();
    return end ? std::vector<std::int32_t>{*end} : std::vector<std::int32_t>{};
  }

  Result<std::vector<DocumentPart>> read_batch() {
    std::vector<DocumentPart> parts;
    for (std::size_t bytes = 0; parts.size() < kBatchParts && bytes < kBatchBytes;) {
      MUSTER_TRY(auto part, reader_.next());
      if (!part) break;
      bytes += part->text.size();
      parts.push_back(*std::move(part));
    }
    return parts;
  }

  Result<std::vector<std::vector<std::int32_t>>> encode(
      const std::vector<DocumentPart>& parts) const {
    std::vector<std::vector<std::int32_t>> tokens(parts.size());
    MUSTER_TRY_STATUS(parallel_for(parts.size(), options_.threads, [&] {
      return [&](std::size_t i) -> Status {
        MUSTER_TRY(tokens[i], tokenizer_.encode(parts[i].text));
        return {};
      };
    }));
    return tokens;
  }

  Status append(const DocumentPart& part, std::span<const std::int32_t> tokens,
                std::span<const std::int32_t> separator) {
    ShardWriter& split = next_is_held_out() ? held_out_ : train_;
    MUSTER_TRY_STATUS(split.append(tokens));
    if (part.ends) MUSTER_TRY_STATUS(split.append(separator));
    total_.documents += part.ends ? 1 : 0;
    total_.bytes += part.text.size();
    total_.tokens = train_.tokens() + held_out_.tokens();
    return {};
  }

  // The middle one of every 1/held_out parts.
  bool next_is_held_out() {
    const double number = static_cast<double>(parts_++);
    return std::floor((number + 1) * options_.held_out + 0.5) >
           std::floor(number * options_.held_out + 0.5);
  }

  Result<PackReport> finish() {
    PackReport report;
    report.manifest.vocab = tokenizer_.vocab();
    report.manifest.context = options_.context;
    report.manifest.tokenizer = tokenizer_.description();
    MUSTER_TRY(Split train, train_.finish());
    MUSTER_TRY(Split held_out, held_out_.finish());
    if (!train.shards.empty()) report.manifest.splits[kTrainSplit] = std::move(train);
    if (!held_out.shards.empty()) report.manifest.splits[kHeldOutSplit] = std::move(held_out);
    for (const TokenizerFile& file : tokenizer_.files())
      MUSTER_TRY_STATUS(replace_file(folder_ / file.name, bytes_of(file.content)));
    MUSTER_TRY_STATUS(
        replace_file(folder_ / kManifestFile, bytes_of(write_manifest(report.manifest))));
    report.total = total_;
    return report;
  }

  const fs::path& folder_;
  const Tokenizer& tokenizer_;
  const PackOptions& options_;
  const Progress& progress_;
  DocumentReader reader_;
  ShardWriter train_, held_out_;
  std::uint64_t parts_ = 0;
  PackProgress total_;
};

}  // namespace

Result<PackReport> pack(const std::vector<fs::path>& sources, const fs::path& folder,
                        const Tokenizer& tokenizer, const PackOptions& options,
                        const std::function<Status(const PackProgress&)>& progress) {
  MUSTER_TRY_STATUS(check(options));
  MUSTER_TRY_STATUS(make_empty_folder(folder));
  Packer packer(sources, folder, tokenizer, options, progress);
  auto report = packer.run();
  if (!report) packer.discard();
  return report;
}

}  // namespace muster::trainer
