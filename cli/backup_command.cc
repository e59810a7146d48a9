// backup: copies a node's folder, also while the node lives.
#include <cstdio>

#include "cli/backup.h"
#include "cli/commands.h"

namespace muster::cli {
namespace {

struct BackupOptions {
  std::string node, destination;
};

Result<int> run_backup(const BackupOptions& options) {
  MUSTER_TRY(const Backup backup, back_up(options.node, options.destination));
  std::printf("%s: a %s's folder, %llu files\n", options.destination.c_str(), backup.what.c_str(),
              static_cast<unsigned long long>(backup.files));
  if (backup.what == "coordinator")
    std::printf("restore it with: muster coordinator --run RUN --rebuild-from %s\n",
                options.destination.c_str());
  return 0;
}

}  // namespace

void add_backup(Command app) {
  const Command command =
      app.add_command("backup", "Copy a node's folder, also while the node lives");
  auto options = std::make_shared<BackupOptions>();
  command.add_option("NODE", options->node, "The node's folder, RUN/nodes/NAME").required();
  command.add_option("DEST", options->destination, "The copy, which must not be there yet")
      .required();
  command.footer(
      "The key is not in it: it stays in RUN/keys. What a restored copy does: docs/operations.md\n"
      "Examples: muster backup runs/mine/nodes/miner-1 backups/miner-1-monday\n"
      "          muster backup runs/mine/nodes/coordinator backups/coordinator-monday");
  command.action([options](const std::atomic<bool>&) { return run_backup(*options); });
}

}  // namespace muster::cli
