// Commands that are a few lines each: key, generate.
#include <cstdio>

#include "base/file.h"
#include "base/key.h"
#include "cli/commands.h"
#include "cli/node_options.h"
#include "trainer/data/byte_tokenizer.h"
#include "trainer/hf/hf_export.h"
#include "trainer/llama/decoder.h"
#include "trainer/run/sampler.h"

namespace muster::cli {

void add_key(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("key", "Hotkeys");
  command->require_subcommand(1);
  auto path = std::make_shared<std::string>();
  auto* make = command->add_subcommand("new", "Make a hotkey file (mode 0600)");
  make->add_option("file", *path, "Where to write it")->required();
  make->callback([path, &chosen] {
    chosen = [path](const std::atomic<bool>&) -> Result<int> {
      const SigningKey key(random_seed());
      MUSTER_TRY_STATUS(write_key_file(*path, key));
      std::printf("%s\n", key.public_key().hex().c_str());
      return 0;
    };
  });
  auto* show = command->add_subcommand("show", "Print a hotkey file's public key");
  show->add_option("file", *path, "The file")->required();
  show->callback([path, &chosen] {
    chosen = [path](const std::atomic<bool>&) -> Result<int> {
      MUSTER_TRY(const SigningKey key, read_key_file(*path));
      std::printf("%s\n", key.public_key().hex().c_str());
      return 0;
    };
  });
  command->footer("Example: muster key new keys/miner-1");
}

void add_generate(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("generate", "Continue a text with a trained model");
  struct Options {
    std::string run = "runs/quickstart", prompt;
    trainer::SamplerConfig sampler;
    std::uint32_t tokens = 200;
    std::uint64_t seed = 1;
  };
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "Folder with config.json and model.safetensors")
      ->required();
  command->add_option("prompt", options->prompt, "The text to continue")->required();
  command->add_option("--tokens", options->tokens, "How many bytes to add")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--temperature", options->sampler.temperature, "0: the likeliest always")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Another continuation")
      ->capture_default_str();
  command->footer("Example: muster generate runs/quickstart \"#include <\"");
  command->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) -> Result<int> {
      MUSTER_TRY(const auto imported, trainer::import_hf(options->run));
      if (imported.model.vocab != trainer::kByteVocab)
        return Error{Errc::kInvalidArgument, options->run + ": a vocabulary of " +
                                                 std::to_string(imported.model.vocab) +
                                                 "; only bytes are generated"};
      if (options->prompt.empty()) return Error{Errc::kInvalidArgument, "the prompt is empty"};
      Team team(1);
      trainer::Decoder decoder(imported.model, imported.parameters, team);
      std::vector<std::int32_t> tokens;
      for (const char c : options->prompt) tokens.push_back(static_cast<unsigned char>(c));
      std::printf("%s", options->prompt.c_str());
      Prng random(options->seed);
      std::span<const float> logits;
      std::size_t fed = 0;
      for (std::uint32_t i = 0; i < options->tokens && !stop; ++i) {
        if (tokens.size() > fed && decoder.position() + (tokens.size() - fed) > decoder.context()) {
          decoder.reset();
          fed = tokens.size() - decoder.context() / 2;
        }
        for (; fed < tokens.size(); ++fed) logits = decoder.step(tokens[fed]);
        MUSTER_TRY(const std::uint32_t token, trainer::sample(logits, options->sampler, random));
        tokens.push_back(static_cast<std::int32_t>(token));
        std::putchar(static_cast<int>(token));
        std::fflush(stdout);
      }
      std::printf("\n");
      return 0;
    };
  });
}

}  // namespace muster::cli
