// export: a run's or a training's model for other programs.
#include <cstdio>

#include "cli/audit_run.h"
#include "cli/commands.h"
#include "cli/training_model.h"
#include "trainer/hf/hf_export.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

struct ExportCommand {
  std::string source = "runs/quickstart", target, tokenizer;
  std::uint64_t file_bytes_max = trainer::ExportOptions{}.file_bytes_max;

  Result<int> run(const std::atomic<bool>& stop) const {
    const RunFolder folder{source};
    std::error_code ignored;
    if (!fs::exists(folder.params_file(), ignored) &&
        fs::exists(folder.root / "checkpoints", ignored))
      return export_training();
    MUSTER_TRY(const auto params, read_params(folder));
    MUSTER_TRY(const AuditedRun audited, audit_run(folder, stop));
    MUSTER_TRY_STATUS(write(params.model, audited.theta, folder.data()));
    std::printf("%s: model after %llu rounds, root of θ %s\n", target.c_str(),
                static_cast<unsigned long long>(audited.report.rounds),
                audited.report.theta_root.hex().c_str());
    return 0;
  }

  Result<int> export_training() const {
    MUSTER_TRY(const TrainingModel training, read_training_model(source));
    MUSTER_TRY_STATUS(write(training.model, training.theta, fs::path(source) / "model"));
    std::printf("%s: model after step %llu\n", target.c_str(),
                static_cast<unsigned long long>(training.step));
    return 0;
  }

  Status write(const state::ModelSpec& model, std::span<const float> theta,
               const fs::path& beside) const {
    const fs::path from = tokenizer.empty() ? beside : fs::path(tokenizer);
    MUSTER_TRY(const trainer::ExportReport exported,
               trainer::export_hf(target, model, theta,
                                  {.file_bytes_max = file_bytes_max, .tokenizer_folder = from}));
    if (exported.tokenizer == trainer::TokenizerSource::kNone)
      std::fprintf(
          stderr,
          "muster: no tokenizer in %s, so none is exported; --tokenizer names another folder\n",
          from.c_str());
    return {};
  }
};

}  // namespace

void add_export(Command app) {
  const Command command = app.add_command("export", "Write a model for other programs");
  command.require_command();
  const Command hf =
      command.add_command("hf", "As Hugging Face config.json, model.safetensors and tokenizer");
  auto options = std::make_shared<ExportCommand>();
  hf.add_option("source", options->source,
                "Folder of a run, or of a training (its newest checkpoint)")
      .required();
  hf.add_option("target", options->target, "Folder to write").required();
  hf.add_option("--tokenizer", options->tokenizer,
                "Folder whose tokenizer goes along; default: that of the data");
  hf.add_option("--file-bytes", options->file_bytes_max,
                "Weights per file, at most; more make several and an index")
      .positive()
      .show_default();
  hf.footer(
      "Examples: muster export hf runs/quickstart my-model\n"
      "          muster export hf runs/alone half-way --tokenizer packed");
  hf.action([options](const std::atomic<bool>& stop) { return options->run(stop); });
}

}  // namespace muster::cli
