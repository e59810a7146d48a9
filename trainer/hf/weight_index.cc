#include "trainer/hf/weight_index.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "trainer/hf/json_guard.h"

namespace muster::trainer {
namespace {

using nlohmann::json;

constexpr int kDepth = 4;

bool plain_weight_file(const std::string& name) {
  constexpr std::string_view kEnd = ".safetensors";
  return name.size() > kEnd.size() && name.size() <= 255 && name.ends_with(kEnd) &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos &&
         !name.starts_with('.');
}

}  // namespace

Result<std::map<std::string, std::string>> parse_weight_index(ByteSpan bytes) {
  MUSTER_TRY(const json parsed, parse_json(bytes, kDepth, kWeightIndexFile));
  const auto map = parsed.is_object() ? parsed.find("weight_map") : parsed.end();
  if (map == parsed.end() || !map->is_object())
    return Error{Errc::kMalformed, std::string(kWeightIndexFile) + ": no weight_map"};
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !plain_weight_file(file.get_ref<const std::string&>()))
      return Error{Errc::kMalformed,
                   std::string(kWeightIndexFile) + ": tensor '" + tensor.substr(0, 200) +
                       "' is in " + file.dump(-1, ' ', true).substr(0, 200) +
                       ", which is not the name of a .safetensors file beside it"};
    files.emplace(tensor, file.get<std::string>());
  }
  return files;
}

std::vector<WeightFile> split_weights(const compression::Layout& layout, std::uint64_t bytes_max) {
  std::vector<WeightFile> files;
  std::uint64_t bytes = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    const std::uint64_t more = tensor.elements * 4;
    if (files.empty() || bytes + more > bytes_max) {
      files.emplace_back();
      bytes = 0;
    }
    files.back().tensors.push_back(tensor);
    bytes += more;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", i + 1, files.size());
    files[i].name = files.size() == 1 ? kWeightsFile : name;
  }
  return files;
}

std::string write_weight_index(const std::vector<WeightFile>& files) {
  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  std::uint64_t elements = 0;
  for (const WeightFile& file : files) {
    for (const compression::Tensor& tensor : file.tensors) {
      map[tensor.name] = file.name;
      elements += tensor.elements;
    }
  }
  const nlohmann::ordered_json out = {
      {"metadata", {{"total_parameters", elements}, {"total_size", elements * 4}}},
      {"weight_map", map}};
  return out.dump(2) + "\n";
}

}  // namespace muster::trainer
