// export: a run's model for other programs.
#include <cstdio>

#include "cli/audit_run.h"
#include "cli/commands.h"
#include "trainer/hf/hf_export.h"

namespace muster::cli {

void add_export(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("export", "Write a run's model for other programs");
  command->require_subcommand(1);
  auto* hf = command->add_subcommand("hf", "As Hugging Face config.json, model.safetensors and "
                                           "tokenizer");
  struct Options {
    std::string run = "runs/quickstart", target;
    std::uint64_t file_bytes_max = trainer::ExportOptions{}.file_bytes_max;
  };
  auto options = std::make_shared<Options>();
  hf->add_option("run", options->run, "Folder of the run")->required();
  hf->add_option("target", options->target, "Folder to write")->required();
  hf->add_option("--file-bytes", options->file_bytes_max, "Weights per file, at most; more make several and an index")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  hf->footer("Example: muster export hf runs/quickstart my-model");
  hf->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) -> Result<int> {
      const RunFolder folder{options->run};
      MUSTER_TRY(const auto params, read_params(folder));
      MUSTER_TRY(const AuditedRun audited, audit_run(folder, stop));
      MUSTER_TRY(const trainer::ExportReport exported,
                 trainer::export_hf(options->target, params.model, audited.theta,
                                    {.file_bytes_max = options->file_bytes_max, .tokenizer_folder = folder.data()}));
      if (exported.tokenizer == trainer::TokenizerSource::kNone)
        std::fprintf(stderr, "muster: no tokenizer in %s, so none is exported\n", folder.data().c_str());
      std::printf("%s: model after %llu rounds, root of θ %s\n", options->target.c_str(),
                  static_cast<unsigned long long>(audited.report.rounds),
                  audited.report.theta_root.hex().c_str());
      return 0;
    };
  });
}

}  // namespace muster::cli
