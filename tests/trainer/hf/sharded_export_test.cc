// Models of transformers, read and written in several files by us, computed by transformers again.
// Skipped where Python does not have it; MUSTER_PYTHON names another interpreter.
#include <gtest/gtest.h>

#include "tests/python.h"
#include "tests/temporary_directory.h"
#include "trainer/hf/hf_export.h"

namespace muster::trainer {
namespace {

using testing::output_of;
using testing::python;
using testing::python_has;

TEST(ShardedExport, HasTheLogitsOfTheModelThatWasImported) {
  if (!python_has("torch, transformers")) GTEST_SKIP() << python() << " has no transformers";
  const std::filesystem::path oracles =
      std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles/hf_llama";
  for (const std::string name : {"tied", "untied", "llama3_rope"}) {
    const ImportedModel imported = import_hf(oracles / name).value();
    EXPECT_LT(imported.model.kv_heads, imported.model.heads);
    muster::testing::TemporaryDirectory directory;
    const auto report = export_hf(directory.path(), imported.model, imported.parameters,
                                  {.file_bytes_max = 100'000, .tokenizer_folder = {}});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->weight_files, 2u);
    const std::string output =
        output_of(python() + " " MUSTER_SOURCE_DIR "/tests/trainer/hf/logits_in_transformers.py " +
                  directory.path().string() + " " +
                  (oracles / name / "expected.safetensors").string() + " 2>/dev/null");
    ASSERT_FALSE(output.empty()) << name;
    EXPECT_LT(std::stod(output), 1e-4) << name;
    std::printf("%s: %zu files, largest difference of a logit %s", name.c_str(),
                report->weight_files, output.c_str());
  }
}

}  // namespace
}  // namespace muster::trainer
