// Models of transformers, read and written in several files by us, computed by transformers again. Skipped where
// Python does not have it; MUSTER_PYTHON names another interpreter.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/temporary_directory.h"
#include "trainer/hf/hf_export.h"

namespace muster::trainer {
namespace {

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  MUSTER_CHECK(pipe != nullptr, command);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output.push_back(static_cast<char>(c));
  return ::pclose(pipe) == 0 ? output : "";
}

TEST(ShardedExport, HasTheLogitsOfTheModelThatWasImported) {
  const char* named = std::getenv("MUSTER_PYTHON");
  const std::string python = named == nullptr ? "python3" : named;
  if (output_of(python + " -c 'import torch, transformers; print(1)' 2>/dev/null").empty())
    GTEST_SKIP() << python << " has no transformers";
  const std::filesystem::path oracles = std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles/hf_llama";
  for (const std::string name : {"tied", "untied", "llama3_rope"}) {
    const ImportedModel imported = import_hf(oracles / name).value();
    EXPECT_LT(imported.model.kv_heads, imported.model.heads);
    muster::testing::TemporaryDirectory directory;
    const auto report = export_hf(directory.path(), imported.model, imported.parameters,
                                  {.file_bytes_max = 100'000, .tokenizer_folder = {}});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->weight_files, 2u);
    const std::string output =
        output_of(python + " " MUSTER_SOURCE_DIR "/tests/trainer/hf/logits_in_transformers.py " +
                  directory.path().string() + " " + (oracles / name / "expected.safetensors").string() +
                  " 2>/dev/null");
    ASSERT_FALSE(output.empty()) << name;
    EXPECT_LT(std::stod(output), 1e-4) << name;
    std::printf("%s: %zu files, largest difference of a logit %s", name.c_str(), report->weight_files, output.c_str());
  }
}

}  // namespace
}  // namespace muster::trainer
