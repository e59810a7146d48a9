#include "trainer/hf/weight_index.h"

#include <gtest/gtest.h>

namespace muster::trainer {
namespace {

compression::Layout three_tensors() {
  return compression::Layout::make({{"a", {10}}, {"b", {10}}, {"c", {100}}}).value();
}

std::vector<std::vector<std::string>> split(std::uint64_t bytes_max) {
  std::vector<std::vector<std::string>> names;
  for (const WeightFile& file : split_weights(three_tensors(), bytes_max)) {
    names.emplace_back();
    for (const auto& tensor : file.tensors) names.back().push_back(tensor.name);
  }
  return names;
}

TEST(WeightIndex, OneFileIsEnoughForASmallModel) {
  const auto files = split_weights(three_tensors(), 480);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].name, "model.safetensors");
}

TEST(WeightIndex, FillsFilesInOrderAndGivesALargeTensorOneOfItsOwn) {
  using Names = std::vector<std::vector<std::string>>;
  EXPECT_EQ(split(479), (Names{{"a", "b"}, {"c"}}));
  EXPECT_EQ(split(80), (Names{{"a", "b"}, {"c"}}));
  EXPECT_EQ(split(79), (Names{{"a"}, {"b"}, {"c"}}));
  EXPECT_EQ(split(1), (Names{{"a"}, {"b"}, {"c"}}));
  EXPECT_EQ(split_weights(three_tensors(), 80)[1].name, "model-00002-of-00002.safetensors");
}

TEST(WeightIndex, ReadsBackWhatItWrote) {
  const auto index =
      parse_weight_index(bytes_of(write_weight_index(split_weights(three_tensors(), 80)))).value();
  EXPECT_EQ(index, (std::map<std::string, std::string>{{"a", "model-00001-of-00002.safetensors"},
                                                       {"b", "model-00001-of-00002.safetensors"},
                                                       {"c", "model-00002-of-00002.safetensors"}}));
}

TEST(WeightIndex, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"../m.safetensors", "/etc/m.safetensors", "a/m.safetensors", "..", "",
                           "m.bin", ".safetensors", "a\\\\m.safetensors", "m\\u0000.safetensors"}) {
    const std::string json = std::string(R"({"weight_map": {"a": ")") + name + "\"}}";
    EXPECT_EQ(parse_weight_index(bytes_of(json)).error().code, Errc::kMalformed) << json;
  }
}

TEST(WeightIndex, RefusesOtherJson) {
  for (const char* json : {"", "[]", "{}", R"({"weight_map": []})", R"({"weight_map": {"a": 1}})",
                           R"({"weight_map": {"a": "m.safetensors", "a": "m.safetensors"}})",
                           R"({"weight_map": {"a": {"b": {"c": {"d": 1}}}}})"})
    EXPECT_EQ(parse_weight_index(bytes_of(json)).error().code, Errc::kMalformed) << json;
}

}  // namespace
}  // namespace muster::trainer
