// muster generate: continues a text with a trained model.
#include <unistd.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/model_folder.h"
#include "trainer/data/text_stream.h"
#include "trainer/run/generation.h"

namespace muster::cli {
namespace {

struct Options {
  std::string model, prompt;
  trainer::GenerationConfig generation;
  std::uint32_t threads = 0;
  bool stats = false;
};

Status print(trainer::TextStream& stream, std::int32_t token) {
  MUSTER_TRY(const std::string text, stream.next(token));
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return {};
}

Result<int> run(const Options& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const LoadedModel model, load_model(options.model));
  MUSTER_TRY(const trainer::Tokenizer* tokenizer, tokenizer_of(model));
  MUSTER_TRY(const auto prompt, tokenizer->encode(options.prompt));
  Team team(options.threads == 0 ? core_count() : options.threads);
  std::printf("%s", options.prompt.c_str());
  MUSTER_TRY(auto stream, trainer::TextStream::make(*tokenizer, prompt));
  Status printed;
  std::uint32_t count = 0;
  const double begun = steady_seconds();
  MUSTER_TRY_STATUS(trainer::generate(model.imported.model, model.imported.parameters, prompt,
                                      options.generation, team, [&](std::int32_t token) {
                                        ++count;
                                        printed = print(stream, token);
                                        return printed.has_value() && !stop;
                                      }));
  MUSTER_TRY_STATUS(std::move(printed));
  const double took = steady_seconds() - begun;
  std::printf("\n");
  if (options.stats || ::isatty(STDERR_FILENO) != 0)
    std::fprintf(stderr, "%zu tokens read, %u written, %.1f tokens/s\n", prompt.size(), count,
                 static_cast<double>(prompt.size() + count) / took);
  return stop ? kExitInterrupted : 0;
}

}  // namespace

void add_generate(Command app) {
  const Command command = app.add_command("generate", "Continue a text with a trained model");
  auto options = std::make_shared<Options>();
  auto& generation = options->generation;
  command
      .add_option("model", options->model,
                  "Folder with config.json and model.safetensors, or of a training")
      .required();
  command.add_option("prompt", options->prompt, "The text to continue").required();
  command.add_option("--tokens", generation.tokens, "How many to add")
      .in_range(1, 1'000'000)
      .show_default();
  command.add_option("--temperature", generation.sampler.temperature, "0: the likeliest always")
      .in_range(0.0, 100.0)
      .show_default();
  command
      .add_option("--top-p", generation.sampler.top_p,
                  "Only the likeliest that together have this probability")
      .in_range(0.0, 1.0)
      .show_default();
  command.add_option("--top-k", generation.sampler.top_k, "Only so many of the likeliest; 0: all")
      .show_default();
  command.add_option("--seed", generation.seed, "Another continuation").show_default();
  command.add_option("--threads", options->threads, "0: all cores")
      .in_range(0, 1024)
      .show_default();
  command.add_flag("--stats", options->stats,
                   "Tokens per second on standard error, also where that is no terminal");
  command.footer(
      "Examples: muster generate runs/quickstart \"#include <\"\n"
      "          muster generate runs/alone \"class \" --temperature 0.7 --top-p 0.9 --seed 3");
  command.action([options](const std::atomic<bool>& stop) { return run(*options, stop); });
}

}  // namespace muster::cli
