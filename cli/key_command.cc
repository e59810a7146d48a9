// key: hotkeys.
#include <cstdio>

#include "base/key.h"
#include "cli/commands.h"

namespace muster::cli {

void add_key(Command app) {
  const Command command = app.add_command("key", "Hotkeys");
  command.require_command();
  auto path = std::make_shared<std::string>();
  const Command make = command.add_command("new", "Make a hotkey file (mode 0600)");
  make.add_option("file", *path, "Where to write it").required();
  make.action([path](const std::atomic<bool>&) -> Result<int> {
    const SigningKey key(random_seed());
    MUSTER_TRY_STATUS(write_key_file(*path, key));
    std::printf("%s\n", key.public_key().hex().c_str());
    return 0;
  });
  const Command show = command.add_command("show", "Print a hotkey file's public key");
  show.add_option("file", *path, "The file").required();
  show.action([path](const std::atomic<bool>&) -> Result<int> {
    MUSTER_TRY(const SigningKey key, read_key_file(*path));
    std::printf("%s\n", key.public_key().hex().c_str());
    return 0;
  });
  command.footer("Example: muster key new keys/miner-1");
}

}  // namespace muster::cli
