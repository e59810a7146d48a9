// export: a run's model for other programs.
#include <cstdio>

#include "cli/audit_run.h"
#include "cli/commands.h"
#include "trainer/hf/hf_export.h"

namespace muster::cli {

void add_export(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("export", "Write a run's model for other programs");
  command->require_subcommand(1);
  auto* hf = command->add_subcommand("hf", "As Hugging Face config.json, model.safetensors, "
                                           "tokenizer.json");
  struct Options {
    std::string run = "runs/quickstart", target;
  };
  auto options = std::make_shared<Options>();
  hf->add_option("run", options->run, "Folder of the run")->required();
  hf->add_option("target", options->target, "Folder to write")->required();
  hf->footer("Example: muster export hf runs/quickstart my-model");
  hf->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) -> Result<int> {
      const RunFolder folder{options->run};
      MUSTER_TRY(const auto params, read_params(folder));
      MUSTER_TRY(const AuditedRun audited, audit_run(folder, stop));
      MUSTER_TRY_STATUS(trainer::export_hf(options->target, params.model, audited.theta));
      std::printf("%s: model after %llu rounds, root of θ %s\n", options->target.c_str(),
                  static_cast<unsigned long long>(audited.report.rounds),
                  audited.report.theta_root.hex().c_str());
      return 0;
    };
  });
}

}  // namespace muster::cli
