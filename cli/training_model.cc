#include "cli/training_model.h"

#include <charconv>

#include "trainer/run/train_run.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

// Fields of a checkpoint's settings by name; remembers the first that is missing or no such value.
class Fields {
 public:
  explicit Fields(const std::vector<trainer::Setting>& settings) : settings_(settings) {}

  template <class Number>
  Fields& read(const std::string& name, Number& target) {
    for (const trainer::Setting& setting : settings_) {
      if (setting.name != name) continue;
      const char* end = setting.value.data() + setting.value.size();
      const auto [rest, problem] = std::from_chars(setting.value.data(), end, target);
      if (problem == std::errc() && rest == end) return *this;
    }
    if (wrong_.empty()) wrong_ = name;
    return *this;
  }
  Fields& read(const std::string& name, bool& target) {
    for (const trainer::Setting& setting : settings_) {
      if (setting.name != name || (setting.value != "true" && setting.value != "false")) continue;
      target = setting.value == "true";
      return *this;
    }
    if (wrong_.empty()) wrong_ = name;
    return *this;
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  const std::vector<trainer::Setting>& settings_;
  std::string wrong_;
};

Result<state::ModelSpec> model_of(const trainer::CheckpointHead& head, const fs::path& path) {
  state::ModelSpec model;
  state::RopeScaling rope{.factor = 1};
  Fields fields(head.binding);
  fields.read("model.d_model", model.d_model)
      .read("model.layers", model.layers)
      .read("model.heads", model.heads)
      .read("model.kv_heads", model.kv_heads)
      .read("model.d_ff", model.d_ff)
      .read("model.context", model.context)
      .read("model.vocab", model.vocab)
      .read("model.tied", model.tied)
      .read("model.rope_theta", model.rope_theta)
      .read("model.norm_epsilon", model.norm_epsilon)
      .read("model.rope_factor", rope.factor)
      .read("model.rope_low_frequency_factor", rope.low_frequency_factor)
      .read("model.rope_high_frequency_factor", rope.high_frequency_factor)
      .read("model.rope_original_context", rope.original_context);
  if (!fields.wrong().empty())
    return Error{Errc::kMalformed,
                 path.string() + ": setting '" + fields.wrong() + "' is missing or no number"};
  if (rope.factor != 1) model.rope_scaling = rope;
  if (Status valid = state::validate(model); !valid)
    return std::move(valid).error().within(path.string());
  return model;
}

}  // namespace

Result<TrainingModel> read_training_model(const fs::path& folder) {
  const auto checkpoints = trainer::checkpoints_of(folder);
  const auto steps = checkpoints.steps();
  Error problem{Errc::kNotFound, folder.string() + ": no checkpoints of a training here"};
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const fs::path path = checkpoints.path_of(*step);
    auto file = trainer::CheckpointFile::open(path);
    if (!file) {
      problem = std::move(file).error();
      continue;
    }
    TrainingModel training;
    training.step = *step;
    MUSTER_TRY(training.model, model_of(file->head(), path));
    const std::uint64_t parameters = state::layout_of(training.model).parameters();
    for (const trainer::ArrayName& array : file->head().arrays)
      if (array.name == "theta" && array.elements == parameters) training.theta.resize(parameters);
    MUSTER_TRY_STATUS(file->restore(std::vector<trainer::NamedState>{{"theta", training.theta}}));
    return training;
  }
  return problem;
}

}  // namespace muster::cli
