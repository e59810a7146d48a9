#include "trainer/hf/hf_export.h"

#include <gtest/gtest.h>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

TEST(HfExport, ReadsBackWhatItWrote) {
  muster::testing::TemporaryDirectory directory;
  state::ModelSpec model;
  model.layers = 1;
  model.kv_heads = 2;
  model.tied = false;
  std::vector<float> theta(state::layout_of(model).parameters());
  state::initial_parameters(model, 5, theta);
  ASSERT_TRUE(export_hf(directory / "m", model, theta));
  const ImportedModel read = import_hf(directory / "m").value();
  EXPECT_EQ(read.model, model);
  EXPECT_EQ(read.parameters, theta);
  EXPECT_TRUE(std::filesystem::exists(directory / "m/tokenizer.json"));
}

TEST(HfExport, ReadsWhatTransformersWrote) {
  const std::filesystem::path oracles =
      std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles/hf_llama";
  for (const char* name : {"tied", "untied", "llama3_rope"}) {
    const auto read = import_hf(oracles / name);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->parameters.size(), state::layout_of(read->model).parameters());
  }
}

TEST(HfExport, NamesWhatIsMissing) {
  muster::testing::TemporaryDirectory directory;
  EXPECT_EQ(import_hf(directory.path()).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
