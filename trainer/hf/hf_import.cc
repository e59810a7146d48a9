#include "trainer/hf/hf_import.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "trainer/hf/hf_config.h"
#include "trainer/hf/safetensors.h"
#include "trainer/hf/weight_index.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kConfigBytesMax = 1u << 20;
constexpr std::size_t kIndexBytesMax = 64u << 20;
constexpr std::size_t kWeightFilesMax = 10'000;
constexpr const char* kEmbedding = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";

Error wrong(const fs::path& file, const std::string& tensor, const std::string& what) {
  return {Errc::kMalformed, file.string() + ": tensor '" + tensor.substr(0, 200) + "' " + what};
}

struct FoundTensor {
  fs::path file;
  StoredTensor stored;
};

// All tensors of some files, which stay mapped as long as this lives.
class Weights {
 public:
  // Errors: those of the file; kMalformed (a tensor that another file has too).
  Status add(const fs::path& path) {
    MUSTER_TRY(MappedFile file, MappedFile::open(path, MappedFile::Access::kRead));
    file.advise(MappedFile::Pattern::kSequential);
    auto parsed = parse_safetensors(file.bytes());
    if (!parsed) return std::move(parsed).error().within(path.string());
    for (auto& [name, stored] : *parsed) {
      const auto [at, fresh] = tensors_.try_emplace(name, FoundTensor{path, std::move(stored)});
      if (!fresh) return wrong(path, name, "is also in " + at->second.file.filename().string());
    }
    files_.push_back(std::move(file));
    return {};
  }

  [[nodiscard]] const std::map<std::string, FoundTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const FoundTensor* find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }

 private:
  std::vector<MappedFile> files_;
  std::map<std::string, FoundTensor> tensors_;
};

// The files of an index, and that each tensor is in the one where it is said to be.
Result<Weights> open_indexed(const fs::path& folder) {
  const fs::path path = folder / kWeightIndexFile;
  MUSTER_TRY(const Bytes content, read_file(path, kIndexBytesMax));
  auto index = parse_weight_index(content);
  if (!index) return std::move(index).error().within(folder.string());
  std::set<std::string> names;
  for (const auto& [tensor, file] : *index) names.insert(file);
  if (names.size() > kWeightFilesMax)
    return Error{Errc::kTooLarge,
                 path.string() + ": more than " + std::to_string(kWeightFilesMax) + " files"};
  Weights weights;
  for (const std::string& name : names) MUSTER_TRY_STATUS(weights.add(folder / name));
  for (const auto& [tensor, file] : *index) {
    const FoundTensor* found = weights.find(tensor);
    if (found == nullptr || found->file.filename() != file)
      return wrong(path, tensor, "is not in " + file + ", where the index says");
  }
  for (const auto& [tensor, found] : weights.tensors())
    if (!index->contains(tensor)) return wrong(found.file, tensor, "is not in the index");
  return weights;
}

Result<Weights> open_weights(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / kWeightsFile, ignored)) {
    Weights weights;
    MUSTER_TRY_STATUS(weights.add(folder / kWeightsFile));
    return weights;
  }
  if (fs::exists(folder / kWeightIndexFile, ignored)) return open_indexed(folder);
  return Error{Errc::kNotFound,
               folder.string() + ": neither " + kWeightsFile + " nor " + kWeightIndexFile +
                   "; other formats are saved as these by transformers' save_pretrained"};
}

std::string text_of(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape)
    text += (text.empty() ? "[" : ", ") + std::to_string(extent);
  return text.empty() ? "[]" : text + "]";
}

Status read_tensor(const Weights& weights, const fs::path& place, const compression::Tensor& tensor,
                   std::span<float> out) {
  const FoundTensor* found = weights.find(tensor.name);
  if (found == nullptr) return wrong(place, tensor.name, "is missing");
  if (found->stored.shape != tensor.shape)
    return wrong(found->file, tensor.name,
                 "has shape " + text_of(found->stored.shape) + ", config.json says " +
                     text_of(tensor.shape));
  if (Status read = read_floats(found->stored, out); !read)
    return std::move(read).error().within(found->file.string() + ": tensor '" + tensor.name + "'");
  return {};
}

// What is there beside the layout's tensors.
Status check_extra(const Weights& weights, const compression::Layout& layout, bool tied) {
  std::set<std::string> known;
  for (const auto& tensor : layout.tensors()) known.insert(tensor.name);
  for (const auto& [name, found] : weights.tensors()) {
    if (known.contains(name) || name.ends_with("rotary_emb.inv_freq")) continue;
    if (!tied || name != kHead)
      return wrong(found.file, name, "does not belong to the model of config.json");
    const StoredTensor& embedding = weights.find(kEmbedding)->stored;
    if (found.stored.dtype != embedding.dtype ||
        !std::equal(found.stored.bytes.begin(), found.stored.bytes.end(), embedding.bytes.begin(),
                    embedding.bytes.end()))
      return wrong(found.file, name,
                   "is not the embedding, but config.json says tie_word_embeddings");
  }
  return {};
}

Result<std::vector<float>> parameters_of(const Weights& weights, const fs::path& place,
                                         const state::ModelSpec& model) {
  const auto layout = state::layout_of(model);
  std::uint64_t stored = 0;
  for (const auto& [name, found] : weights.tensors()) stored += found.stored.bytes.size();
  // Before room is made: what is not there cannot be read.
  if (stored < layout.parameters() * 2)
    return Error{Errc::kTruncated,
                 place.string() + ": " + std::to_string(stored) + " bytes of weights for " +
                     std::to_string(layout.parameters()) + " parameters of config.json"};
  std::vector<float> parameters(layout.parameters());
  for (const auto& tensor : layout.tensors())
    MUSTER_TRY_STATUS(read_tensor(weights, place, tensor,
                                  std::span(parameters).subspan(tensor.offset, tensor.elements)));
  MUSTER_TRY_STATUS(check_extra(weights, layout, model.tied));
  return parameters;
}

}  // namespace

Result<state::ModelSpec> read_hf_model(const fs::path& folder) {
  MUSTER_TRY(const Bytes text, read_file(folder / "config.json", kConfigBytesMax));
  auto model = read_hf_config(text);
  if (!model) return std::move(model).error().within(folder.string());
  return model;
}

Result<std::vector<float>> read_parameters(const fs::path& file, const state::ModelSpec& model) {
  Weights weights;
  MUSTER_TRY_STATUS(weights.add(file));
  return parameters_of(weights, file, model);
}

Result<ImportedModel> import_hf(const fs::path& folder) {
  ImportedModel imported;
  MUSTER_TRY(imported.model, read_hf_model(folder));
  MUSTER_TRY(const Weights weights, open_weights(folder));
  MUSTER_TRY(imported.parameters, parameters_of(weights, folder, imported.model));
  return imported;
}

}  // namespace muster::trainer
