// init: makes a run.
#include <cstdio>

#include "cli/commands.h"
#include "cli/run_folder.h"

namespace muster::cli {

void add_init(Command app) {
  const Command command =
      app.add_command("init", "Make a run: data, initial model, keys, parameters, genesis");
  struct Options {
    std::string config = "examples/quickstart.toml", run, from;
    std::vector<std::string> overrides, hotkeys, validators;
  };
  auto options = std::make_shared<Options>();
  command.add_option("config", options->config, "Configuration of the run").required();
  command.add_option("--run", options->run, "Folder to make").required();
  command.add_option("--from", options->from,
                     "Start from this Hugging Face folder's model instead of a new one");
  command.add_option("--set", options->overrides, "Override a field: section.key=value");
  command.add_option("--hotkey", options->hotkeys, "A hotkey (hex) that gets a starting balance");
  command.add_option("--validator", options->validators,
                     "A hotkey (hex) that gets a starting balance, a uid, and stake and permit to "
                     "validate from round 0 on");
  command.footer(
      "Examples: muster init examples/quickstart.toml --run runs/mine\n"
      "          muster init mine.toml --from Llama-3.2-1B --run runs/more");
  command.action([options](const std::atomic<bool>&) -> Result<int> {
    MUSTER_TRY(RunConfig config,
               read_run_config(options->config, options->overrides, options->from));
    FirstMembers first;
    for (const auto& [texts, keys] : {std::pair(&options->hotkeys, &first.hotkeys),
                                      std::pair(&options->validators, &first.validators)}) {
      for (const std::string& text : *texts) {
        MUSTER_TRY(const Hash raw, hash_from_hex(text));
        keys->push_back(PublicKey{raw.bytes});
      }
    }
    const RunFolder folder{options->run};
    MUSTER_TRY_STATUS(init_run(folder, std::move(config), first));
    MUSTER_TRY(const auto params, read_params(folder));
    std::printf("run_id %s\n", protocol::run_id_of(params).hex().c_str());
    return 0;
  });
}

}  // namespace muster::cli
