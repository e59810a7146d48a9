// What export_hf writes, loaded by the transformers library itself. Skipped where Python does not
// have it; MUSTER_PYTHON names another interpreter.
#include <sstream>

#include "tests/python.h"
#include "tests/trainer/trainer_fixture.h"
#include "trainer/hf/hf_export.h"

namespace muster::trainer {
namespace {

using testing::output_of;
using testing::python;
using testing::python_has;

TEST(Transformers, ContinueAnExportedModelWithTheSameTokens) {
  if (!python_has("torch, transformers")) GTEST_SKIP() << python() << " has no transformers";

  // Weights wider than initial ones, so that one token stands out; every feature of the format at
  // once.
  state::ModelSpec model{.d_model = 64,
                         .layers = 2,
                         .heads = 4,
                         .kv_heads = 2,
                         .d_ff = 96,
                         .context = 64,
                         .vocab = 256,
                         .tied = false,
                         .rope_theta = 500'000.0f};
  model.rope_scaling = state::RopeScaling{8, 1, 4, 32};
  std::vector<float> theta(state::layout_of(model).parameters());
  state::initial_parameters(model, 3, theta);
  for (float& value : theta) value *= 3;
  muster::testing::TemporaryDirectory directory;
  ASSERT_TRUE(export_hf(directory.path(), model, theta));

  std::vector<std::int64_t> prompt, ours, theirs;
  std::string command = python() +
                        " " MUSTER_SOURCE_DIR "/tests/trainer/hf/greedy_in_transformers.py " +
                        directory.path().string() + " 24";
  for (const char c : std::string("#include <é\n")) {
    prompt.push_back(static_cast<unsigned char>(c));
    command += " " + std::to_string(prompt.back());
  }
  ours = greedy(model, theta, prompt, 24);
  std::istringstream output(output_of(command + " 2>/dev/null"));
  for (std::int64_t token = 0; output >> token;) theirs.push_back(token);
  EXPECT_EQ(ours, theirs);
}

}  // namespace
}  // namespace muster::trainer
