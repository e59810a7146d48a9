// key: hotkeys.
#include <cstdio>

#include "base/key.h"
#include "cli/commands.h"

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

}  // namespace muster::cli
