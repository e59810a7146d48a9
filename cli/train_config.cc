#include "cli/train_config.h"

#include "cli/shared_sections.h"
#include "trainer/data/corpus.h"

namespace muster::cli {
namespace {

using trainer::DecayForm;
using trainer::ScheduleShape;

// A text that names one of a few values.
template <class T>
std::function<Result<T>(const std::string&)> one_of(std::vector<std::pair<std::string, T>> values) {
  return [values = std::move(values)](const std::string& text) -> Result<T> {
    std::string names;
    for (const auto& [name, value] : values) {
      if (name == text) return value;
      names += (names.empty() ? "" : " or ") + name;
    }
    return Error{Errc::kInvalidArgument, names};
  };
}

Status read_train_section(TomlSection section, TrainConfig& config) {
  auto& [training, compute, threads, recompute, matmul, corpus, train, held_out, evaluate_every,
         checkpoint_every, keep, held_out_sequences] = config;
  trainer::Schedule& schedule = training.schedule;
  trainer::OptimizerConfig& optimizer = training.optimizer;
  std::uint64_t steps = 0, tokens = 0;
  read_train(
      section,
      TrainFields<double, std::uint64_t>{
          training.batch, schedule.peak, schedule.warmup_steps, schedule.cosine_to, optimizer.beta1,
          optimizer.beta2, optimizer.weight_decay, optimizer.decay_vectors, training.gradient_clip})
      .parsed<trainer::OptimizerKind>("optimizer", optimizer.kind, optimizer_named)
      .field("epsilon", optimizer.epsilon)
      .field("momentum", optimizer.momentum)
      .parsed<ScheduleShape>("schedule", schedule.shape,
                             one_of<ScheduleShape>({{"cosine", ScheduleShape::kCosine},
                                                    {"wsd", ScheduleShape::kWsd},
                                                    {"constant", ScheduleShape::kConstant}}))
      .field("decay_share", schedule.decay_share)
      .parsed<DecayForm>(
          "decay", schedule.decay_form,
          one_of<DecayForm>({{"sqrt", DecayForm::kOneMinusSqrt}, {"linear", DecayForm::kLinear}}))
      .field("decay_to", schedule.decay_to)
      .field("steps", steps)
      .field("tokens", tokens)
      .field("accumulate", training.accumulate)
      .field("seed", training.seed)
      .parsed<trainer::Compute>("compute", compute, compute_named)
      .field("threads", threads)
      .require(threads <= 1024, "threads", "from 0 (all cores) to 1024")
      .field("recompute", recompute)
      .parsed<trainer::MatmulChoice>("matmul", matmul, matmul_named)
      .field("guard_sd", training.guard.spike_sd)
      .field("guard_window", training.guard.window)
      .field("skips_max", training.guard.skips_max)
      .field("evaluate_every", evaluate_every)
      .field("held_out_sequences", held_out_sequences)
      .require(held_out_sequences > 0, "held_out_sequences", "at least 1")
      .field("checkpoint_every", checkpoint_every)
      .field("keep", keep)
      .require(keep > 0, "keep", "at least 1")
      .require(steps == 0 || tokens == 0, "tokens",
               "left out where train.steps is given: one of the two");
  MUSTER_TRY_STATUS(section.finish());
  const std::uint64_t per_step = std::max<std::uint64_t>(1, training.tokens_per_step());
  schedule.total_steps = tokens > 0 ? (tokens + per_step - 1) / per_step : steps;
  return {};
}

Status read_data(TomlSection section, const std::filesystem::path& base, TrainConfig& config) {
  std::string corpus, packed, train, held_out;
  section.field("corpus", corpus)
      .field("packed", packed)
      .field("train", train)
      .field("held_out", held_out);
  const int given = !corpus.empty() + !packed.empty() + !train.empty();
  section
      .require(given == 1, "train",
               "a token file or a packed folder; or instead of it, and of each other, give "
               "data.packed, a packed folder, or data.corpus, a folder of C++ headers")
      .require(held_out.empty() || !train.empty(), "held_out",
               "given with data.train only; the others have their own");
  MUSTER_TRY_STATUS(section.finish());
  if (!corpus.empty()) config.corpus = base / corpus;
  if (!packed.empty()) config.train = config.held_out = base / packed;
  if (!train.empty()) config.train = base / train;
  if (!held_out.empty())
    config.held_out = base / held_out;
  else if (std::filesystem::is_directory(config.train))
    config.held_out = config.train;
  return {};
}

}  // namespace

Result<TrainConfig> read_train_config(const std::filesystem::path& path,
                                      const std::vector<std::string>& overrides) {
  MUSTER_TRY(const TomlFile toml, TomlFile::read(path, overrides));
  MUSTER_TRY_STATUS(toml.check_sections({"data", "model", "train"}));
  TrainConfig config;
  MUSTER_TRY_STATUS(read_model(toml.section("model"), config.training.model));
  MUSTER_TRY_STATUS(read_train_section(toml.section("train"), config));
  MUSTER_TRY_STATUS(read_data(toml.section("data"), path.parent_path(), config));
  if (!config.corpus.empty() && config.training.model.context >= trainer::kCorpusBlockBytes)
    return Error{Errc::kInvalidArgument,
                 path.string() + ": model.context is " +
                     std::to_string(config.training.model.context) +
                     ", but data.corpus is cut in blocks of 65536 bytes; shorten the context, or "
                     "pack the text with muster data pack and give data.train"};
  if (Status valid = validate(config.training); !valid)
    return std::move(valid).error().within(path.string());
  return config;
}

}  // namespace muster::cli
