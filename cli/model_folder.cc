#include "cli/model_folder.h"

namespace muster::cli {
namespace fs = std::filesystem;

Result<LoadedModel> load_model(const fs::path& folder) {
  LoadedModel model;
  const bool inside =
      !fs::exists(folder / "config.json") && fs::exists(folder / "model/config.json");
  model.folder = inside ? folder / "model" : folder;
  MUSTER_TRY(model.imported, trainer::import_hf(model.folder));
  if (auto tokenizer = trainer::open_tokenizer(model.folder))
    model.tokenizer = *std::move(tokenizer);
  else
    model.without_tokenizer = tokenizer.error().message;
  return model;
}

Result<const trainer::Tokenizer*> tokenizer_of(const LoadedModel& model) {
  if (!model.tokenizer)
    return Error{Errc::kInvalidArgument,
                 model.folder.string() + ": text needs a tokenizer: " + model.without_tokenizer};
  if (model.tokenizer->vocab() > model.imported.model.vocab)
    return Error{Errc::kInvalidArgument, model.folder.string() + ": a tokenizer of " +
                                             std::to_string(model.tokenizer->vocab()) +
                                             " tokens for a model of " +
                                             std::to_string(model.imported.model.vocab)};
  return model.tokenizer.get();
}

}  // namespace muster::cli
