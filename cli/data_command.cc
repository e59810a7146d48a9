// data: text to token files and back to what a folder of them holds.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/units.h"
#include "trainer/data/corpus.h"
#include "trainer/data/data_set.h"
#include "trainer/data/pack.h"

namespace muster::cli {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One line on a terminal that is written over, for work over two seconds.
class PackProgressLine {
 public:
  void show(const trainer::PackProgress& progress) {
    if (!terminal_ || seconds_since(start_) < 2 || seconds_since(shown_) < 0.2) return;
    shown_ = Clock::now();
    std::fprintf(stderr, "\r%s at %s/s, %llu documents, %llu tokens   ",
                 human_bytes(static_cast<double>(progress.bytes)).c_str(),
                 human_bytes(static_cast<double>(progress.bytes) / seconds_since(start_)).c_str(),
                 static_cast<unsigned long long>(progress.documents),
                 static_cast<unsigned long long>(progress.tokens));
    drawn_ = true;
  }
  ~PackProgressLine() {
    if (drawn_) std::fprintf(stderr, "\r\033[K");
  }
  [[nodiscard]] double seconds() const { return seconds_since(start_); }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
  bool drawn_ = false;
};

// Of text with \n, \t, \0 and \\ written out.
Result<std::string> unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    constexpr std::string_view kNames = "nt0\\", kValues("\n\t\0\\", 4);
    const std::size_t which =
        i + 1 < text.size() ? kNames.find(text[i + 1]) : std::string_view::npos;
    if (which == std::string_view::npos)
      return Error{Errc::kInvalidArgument, "--separator: known are \\n, \\t, \\0 and \\\\"};
    out.push_back(kValues[which]);
    ++i;
  }
  return out;
}

ordered_json splits_json(const trainer::Manifest& manifest) {
  ordered_json splits = ordered_json::object();
  for (const auto& [name, split] : manifest.splits) {
    std::uint64_t sequences = 0;
    for (const trainer::Shard& shard : split.shards)
      sequences += shard.tokens / (manifest.context + 1);
    splits[name] = {{"tokens", split.tokens()},
                    {"sequences", sequences},
                    {"shards", split.shards.size()},
                    {"root", split.root().hex()}};
  }
  return splits;
}

void print_splits(const trainer::Manifest& manifest) {
  const ordered_json splits = splits_json(manifest);
  for (const auto& [name, split] : splits.items())
    std::printf("%-9s %llu tokens in %llu shard%s, %llu sequences of context %u, root %s\n",
                name.c_str(), split["tokens"].get<unsigned long long>(),
                split["shards"].get<unsigned long long>(), split["shards"] == 1 ? "" : "s",
                split["sequences"].get<unsigned long long>(), manifest.context,
                split["root"].get<std::string>().c_str());
}

struct PackCommand {
  std::vector<std::string> sources;
  std::string target, tokenizer = "bytes", held_out = "1%", format = "auto";
  std::optional<std::string> separator;
  trainer::PackOptions options;
  bool json = false;

  Result<int> run(const std::atomic<bool>& stop) {
    using Format = trainer::DocumentOptions::Format;
    MUSTER_TRY(options.held_out, parse_share(held_out));
    if (format == "text") options.documents.format = Format::kText;
    if (format == "jsonl") options.documents.format = Format::kJsonLines;
    if (separator) {
      MUSTER_TRY(options.separator, unescape(*separator));
    }
    MUSTER_TRY(const auto chosen, trainer::load_tokenizer(tokenizer));
    PackProgressLine line;
    MUSTER_TRY(const trainer::PackReport report,
               trainer::pack({sources.begin(), sources.end()}, target, *chosen, options,
                             [&](const trainer::PackProgress& progress) -> Status {
                               if (stop)
                                 return Error{Errc::kCancelled, "stopped; nothing was kept"};
                               line.show(progress);
                               return {};
                             }));
    print(report, line.seconds());
    return 0;
  }

  void print(const trainer::PackReport& report, double seconds) const {
    if (options.held_out > 0 && !report.manifest.splits.contains(trainer::kHeldOutSplit))
      std::fprintf(
          stderr,
          "muster: nothing is held out: too few documents for %s; a larger --held-out takes some\n",
          held_out.c_str());
    if (json) {
      const ordered_json out = {{"folder", target},
                                {"tokenizer", report.manifest.tokenizer.kind},
                                {"vocab", report.manifest.vocab},
                                {"context", report.manifest.context},
                                {"documents", report.total.documents},
                                {"bytes", report.total.bytes},
                                {"tokens", report.total.tokens},
                                {"seconds", seconds},
                                {"splits", splits_json(report.manifest)}};
      std::printf("%s\n", json_text(out).c_str());
      return;
    }
    std::printf("%s: %llu documents, %s of text, %llu tokens of a vocabulary of %u in %s\n",
                target.c_str(), static_cast<unsigned long long>(report.total.documents),
                human_bytes(static_cast<double>(report.total.bytes)).c_str(),
                static_cast<unsigned long long>(report.total.tokens), report.manifest.vocab,
                human_seconds(seconds).c_str());
    print_splits(report.manifest);
  }
};

void add_pack(Command data) {
  const Command command =
      data.add_command("pack", "Make training data of text: shards of tokens and a manifest");
  auto pack = std::make_shared<PackCommand>();
  pack->options.threads = std::max(1u, std::thread::hardware_concurrency());
  command
      .add_option("source", pack->sources,
                  "Text files, JSON lines (.jsonl, .ndjson), folders of them, - for standard input")
      .required();
  command.add_option("--to", pack->target, "Folder to make").required();
  command.add_option("--tokenizer", pack->tokenizer, "bytes, or a SentencePiece .model file")
      .show_default();
  command.add_option("--context", pack->options.context, "Tokens that a sequence predicts")
      .in_range(1u, 1u << 30)
      .show_default();
  command.add_option("--shard-tokens", pack->options.shard_tokens, "Tokens per shard, under 2^31")
      .show_default();
  command
      .add_option("--held-out", pack->held_out, "Share of the documents that is kept for measuring")
      .show_default();
  command.add_option("--separator", pack->separator,
                     "Text behind each document (\\n, \\t, \\0, \\\\); default: the tokenizer's "
                     "end token, if any");
  command
      .add_option("--field", pack->options.documents.field,
                  "Field of a JSON line that has the text")
      .show_default();
  command.add_option("--format", pack->format, "What files are: auto (by name), text, jsonl")
      .one_of({"auto", "text", "jsonl"})
      .show_default();
  command
      .add_option("--only", pack->options.documents.extensions,
                  "Files of folders: only these, .md,.txt say")
      .comma_separated();
  command
      .add_option("--threads", pack->options.threads,
                  "That tokenize; the result is the same with any number")
      .in_range(1u, 256u)
      .show_default();
  command.add_flag("--json", pack->json, "The result as JSON");
  command.footer(
      "Examples:\n  muster data pack books/ more.jsonl --to data --tokenizer tokenizer.model\n"
      "  zstdcat web.jsonl.zst | muster data pack - --format jsonl --to data");
  command.action([pack](const std::atomic<bool>& stop) { return pack->run(stop); });
}

Result<int> check_folder(const std::string& folder, bool json, const std::atomic<bool>& stop) {
  MUSTER_TRY(const trainer::Manifest manifest, trainer::read_manifest(folder));
  for (const auto& [name, split] : manifest.splits) {
    for (const trainer::Shard& shard : split.shards) {
      if (stop) return Error{Errc::kCancelled, "stopped"};
      MUSTER_TRY_STATUS(trainer::verify_shard(folder, shard));
    }
  }
  if (manifest.tokenizer.kind != "huggingface") {
    MUSTER_TRY(const auto tokenizer, trainer::open_tokenizer(folder));
    if (tokenizer->vocab() != manifest.vocab)
      return Error{Errc::kBadHash, folder + ": the manifest has a vocabulary of " +
                                       std::to_string(manifest.vocab) + ", its tokenizer one of " +
                                       std::to_string(tokenizer->vocab())};
  }
  if (json)
    std::printf(
        "%s\n",
        json_text(ordered_json{{"folder", folder}, {"splits", splits_json(manifest)}}).c_str());
  else
    print_splits(manifest);
  return 0;
}

void add_check(Command data) {
  const Command command =
      data.add_command("check", "Hash all shards of a packed folder, compare with its manifest");
  auto folder = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command.add_option("folder", *folder, "The packed folder").required();
  command.add_flag("--json", *json, "The result as JSON");
  command.footer("Example: muster data check data");
  command.action(
      [folder, json](const std::atomic<bool>& stop) { return check_folder(*folder, *json, stop); });
}

void add_headers(Command data) {
  const Command command = data.add_command("headers", "Pack a folder of C++ headers as bytes");
  struct Options {
    std::string source, target;
    std::uint32_t context = 128;
  };
  auto options = std::make_shared<Options>();
  command.add_option("source", options->source, "Folder with .h and .hpp files").required();
  command.add_option("target", options->target, "Folder for train.bin and held_out.bin").required();
  command.add_option("--context", options->context, "Tokens that a sequence predicts")
      .show_default();
  command.footer("Example: muster data headers .deps/libtorch/torch/include data");
  command.action([options](const std::atomic<bool>&) -> Result<int> {
    MUSTER_TRY(const auto paths,
               trainer::build_corpus(options->source, options->target, options->context));
    std::printf("%s\n%s\n", paths.train.c_str(), paths.held_out.c_str());
    return 0;
  });
}

}  // namespace

void add_data(Command app) {
  const Command command = app.add_command("data", "Training data");
  command.require_command();
  add_pack(command);
  add_check(command);
  add_headers(command);
}

}  // namespace muster::cli
