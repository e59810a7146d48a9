// muster eval: how well a model predicts a text.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/machine.h"
#include "cli/model_folder.h"
#include "cli/shared_sections.h"
#include "trainer/run/evaluation.h"
#include "trainer/run/text_evaluation.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kTextBytesMax = std::size_t{1} << 30;

struct Options {
  std::string model, data, split = trainer::kHeldOutSplit;
  std::uint64_t sequences = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t threads = 0;
  std::string compute = "fp32";
  bool json = false;
};

struct Measured {
  double loss = 0;  // nats per token
  std::uint64_t tokens = 0;
  std::optional<std::uint64_t> bytes;  // that these tokens stand for
};

// Packed data is told from text by its folder or its first bytes.
bool is_packed(const fs::path& path) {
  return fs::is_directory(path) || trainer::TokenFile::open(path).has_value();
}

Result<Measured> measure(const Options& options, const LoadedModel& model, trainer::Llama& engine,
                         const std::atomic<bool>& stop) {
  const state::ModelSpec& spec = model.imported.model;
  const bool one_byte = model.tokenizer && model.tokenizer->description().kind == "bytes";
  if (is_packed(options.data)) {
    MUSTER_TRY(const auto data,
               trainer::DataSet::open(options.data, spec.context, spec.vocab, options.split));
    MUSTER_TRY(const auto result,
               trainer::evaluate(engine, model.imported.parameters, data, options.sequences, stop));
    Measured measured{result.loss, result.tokens, std::nullopt};
    if (one_byte) measured.bytes = result.tokens;
    return measured;
  }
  MUSTER_TRY(const trainer::Tokenizer* tokenizer, tokenizer_of(model));
  MUSTER_TRY(const Bytes text, read_file(options.data, kTextBytesMax));
  MUSTER_TRY(const auto tokens,
             tokenizer->encode({reinterpret_cast<const char*>(text.data()), text.size()}));
  auto result =
      trainer::evaluate_text(engine, model.imported.parameters, spec.context, tokens, stop);
  if (!result) return std::move(result).error().within(options.data);
  // The first token is not predicted.
  MUSTER_TRY(const std::string first, tokenizer->decode(std::span(tokens).first(1)));
  return Measured{result->loss, result->tokens, text.size() - std::min(text.size(), first.size())};
}

void print(const Options& options, const Measured& measured, const std::string& path,
           double seconds) {
  const double perplexity = std::exp(measured.loss);
  const auto tokens = static_cast<double>(measured.tokens);
  std::optional<double> per_byte;
  if (measured.bytes && *measured.bytes > 0)
    per_byte = measured.loss * tokens / static_cast<double>(*measured.bytes);
  if (options.json) {
    nlohmann::ordered_json json{{"nats_per_token", measured.loss},
                                {"perplexity", perplexity},
                                {"tokens", measured.tokens},
                                {"seconds", seconds},
                                {"tokens_per_second", tokens / seconds},
                                {"compute", path}};
    if (per_byte) {
      json["nats_per_byte"] = *per_byte;
      json["bits_per_byte"] = *per_byte / std::log(2.0);
    }
    std::printf("%s\n", json_text(json, 2).c_str());
    return;
  }
  std::printf("%.4f nats per token, perplexity %.3f", measured.loss, perplexity);
  if (per_byte)
    std::printf(", %.4f nats (%.4f bits) per byte", *per_byte, *per_byte / std::log(2.0));
  std::printf("; %llu tokens at %.0f tokens/s on %s\n",
              static_cast<unsigned long long>(measured.tokens), tokens / seconds, path.c_str());
}

Result<int> run(const Options& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const LoadedModel model, load_model(options.model));
  Team team(options.threads == 0 ? core_count() : options.threads);
  MUSTER_TRY(const trainer::Compute compute, compute_named(options.compute));
  MUSTER_TRY(const auto engine,
             trainer::Llama::make(model.imported.model, {.compute = compute}, team));
  const double begun = steady_seconds();
  MUSTER_TRY(const Measured measured, measure(options, model, *engine, stop));
  print(options, measured, engine->path(), steady_seconds() - begun);
  return 0;
}

}  // namespace

void add_eval(Command app) {
  const Command command = app.add_command("eval", "Measure how well a model predicts a text");
  auto options = std::make_shared<Options>();
  command
      .add_option("model", options->model,
                  "Folder with config.json and model.safetensors, or of a training")
      .required();
  command.add_option("data", options->data, "A text file, a token file, or a folder of packed data")
      .required();
  command.add_option("--split", options->split, "Part of a packed folder").show_default();
  command.add_option("--sequences", options->sequences, "Of packed data, at most so many")
      .positive();
  command.add_option("--threads", options->threads, "0: all cores")
      .in_range(0, 1024)
      .show_default();
  command
      .add_option("--compute", options->compute,
                  "fp32, or bf16 where the CPU multiplies it natively")
      .one_of({"auto", "fp32", "bf16"})
      .show_default();
  command.add_flag("--json", options->json, "The result as JSON");
  command.footer(
      "Examples: muster eval runs/alone README.md\n          muster eval runs/alone packed --json");
  command.action([options](const std::atomic<bool>& stop) { return run(*options, stop); });
}

}  // namespace muster::cli
