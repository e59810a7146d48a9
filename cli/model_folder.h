// A model that somebody names on the command line: an exported folder, or a folder that has one in
// it.
//
// Thread safety: pure but for the files.
#pragma once

#include <filesystem>
#include <memory>

#include "trainer/data/tokenizer.h"
#include "trainer/hf/hf_export.h"

namespace muster::cli {

struct LoadedModel {
  std::filesystem::path folder;
  trainer::ImportedModel imported;
  // Null where only Python can read it, or there is none.
  std::unique_ptr<trainer::Tokenizer> tokenizer;
  std::string without_tokenizer;  // why it is null
};

// FOLDER, or FOLDER/model of a training. Errors: those of import_hf.
[[nodiscard]] Result<LoadedModel> load_model(const std::filesystem::path& folder);

// Errors: kInvalidArgument (no tokenizer, with the reason and the mend; one with more tokens than
// the model).
[[nodiscard]] Result<const trainer::Tokenizer*> tokenizer_of(const LoadedModel& model);

}  // namespace muster::cli
