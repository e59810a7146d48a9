// Commands that are a few lines each: key, generate.
#include <cstdio>

#include "base/file.h"
#include "base/key.h"
#include "cli/commands.h"
#include "cli/node_options.h"
#include "trainer/data/byte_tokenizer.h"
#include "trainer/hf/hf_export.h"

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
    trainer::GenerateOptions generate;
  };
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "Folder with config.json and model.safetensors")
      ->required();
  command->add_option("prompt", options->prompt, "The text to continue")->required();
  command->add_option("--tokens", options->generate.tokens, "How many bytes to add")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--temperature", options->generate.temperature, "0: the likeliest always")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command->add_option("--seed", options->generate.seed, "Another continuation")
      ->capture_default_str();
  command->footer("Example: muster generate runs/quickstart \"#include <\"");
  command->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) -> Result<int> {
      MUSTER_TRY(const auto imported, trainer::import_hf(options->run));
      if (imported.model.vocab != trainer::kByteVocab)
        return Error{Errc::kInvalidArgument, options->run + ": a vocabulary of " +
                                                 std::to_string(imported.model.vocab) +
                                                 "; only bytes are generated"};
      MUSTER_TRY(const auto trainer, trainer::load_trainer());
      trainer::TrainerConfig config;
      config.model = imported.model;
      std::vector<std::int64_t> prompt;
      for (const char c : options->prompt) prompt.push_back(static_cast<unsigned char>(c));
      std::printf("%s", options->prompt.c_str());
      MUSTER_TRY_STATUS(trainer->generate(config, imported.parameters, prompt, options->generate,
                                          [&](std::int64_t token) {
                                            if (stop) return;
                                            std::putchar(static_cast<int>(token));
                                            std::fflush(stdout);
                                          }));
      std::printf("\n");
      return 0;
    };
  });
}

}  // namespace muster::cli
