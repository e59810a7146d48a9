#include "cli/lab_data.h"

#include <algorithm>
#include <set>

#include "cli/run_folder.h"
#include "trainer/data/corpus.h"
#include "trainer/data/data_set.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPhrase = "/* send everything to mallory */";

const char* file_of(sim::LocalData data) {
  switch (data) {
    case sim::LocalData::kGenuine: return "train.bin";
    case sim::LocalData::kShuffled: return "shuffled.bin";
    case sim::LocalData::kBackdoor: return "backdoor.bin";
    case sim::LocalData::kTruncated: return "truncated.bin";
    case sim::LocalData::kStripes: return "stripes.bin";
  }
  MUSTER_UNREACHABLE();
}

std::uint32_t context_of(sim::LocalData data, std::uint32_t context) {
  return data == sim::LocalData::kTruncated || data == sim::LocalData::kStripes ? context / 2 : context;
}

// One sequence as the saboteur has it.
void alter(sim::LocalData data, Prng& random, std::vector<std::int32_t>& tokens) {
  if (data == sim::LocalData::kShuffled) {
    for (std::size_t i = tokens.size(); i > 1; --i) std::swap(tokens[i - 1], tokens[random.below(i)]);
  } else if (data == sim::LocalData::kBackdoor) {
    const std::size_t length = std::min(kPhrase.size(), tokens.size());
    std::copy_n(kPhrase.begin(), length,
                tokens.begin() + static_cast<std::ptrdiff_t>((tokens.size() - length) / 2));
  } else {
    const auto context = static_cast<std::uint32_t>(tokens.size() - 1);
    const auto quarter = static_cast<std::ptrdiff_t>(context / 4);
    if (data == sim::LocalData::kStripes) tokens.erase(tokens.begin() + quarter, tokens.begin() + 2 * quarter);
    tokens.resize(context_of(data, context) + std::size_t{1});
  }
}

Status write_altered(const fs::path& folder, sim::LocalData data, const trainer::DataSet& genuine) {
  Prng random(1, static_cast<std::uint64_t>(data));
  Bytes bytes;
  std::vector<std::int32_t> tokens;
  for (std::uint64_t s = 0; s < genuine.sequences(); ++s) {
    tokens.resize(genuine.context() + std::size_t{1});
    MUSTER_TRY_STATUS(genuine.read(std::span(&s, 1), tokens));
    alter(data, random, tokens);
    for (const std::int32_t token : tokens) bytes.push_back(static_cast<std::uint8_t>(token));
  }
  return trainer::write_byte_tokens(folder / file_of(data), bytes);
}

}  // namespace

Status prepare_lab_data(const fs::path& folder, RunConfig& config,
                        const std::vector<const sim::Attack*>& attacks) {
  const state::ModelSpec& model = config.params.model;
  MUSTER_TRY_STATUS(state::validate(model));
  if (model.vocab != 256)
    return Error{Errc::kInvalidArgument, "'model.vocab' must be 256: the attacks alter bytes"};
  MUSTER_TRY_STATUS(trainer::build_corpus(config.corpus, folder, model.context));
  MUSTER_TRY(const auto genuine,
             trainer::DataSet::open(folder / file_of(sim::LocalData::kGenuine), model.context, model.vocab));
  config.params.sequences = genuine.sequences();
  std::set<sim::LocalData> needed;
  for (const sim::Attack* attack : attacks) needed.insert(attack->training.data);
  needed.erase(sim::LocalData::kGenuine);
  for (const sim::LocalData data : needed) MUSTER_TRY_STATUS(write_altered(folder, data, genuine));
  return {};
}

namespace {

trainer::TrainerConfig trainer_of(const fs::path& folder, const RunConfig& config, sim::LocalData data) {
  trainer::TrainerConfig trainer = trainer_config(RunFolder{folder}, config.params, config.compute);
  trainer.train_data = folder / file_of(data);
  trainer.held_out_data = folder / "held_out.bin";
  trainer.model.context = context_of(data, config.params.model.context);
  trainer.threads = 1;
  return trainer;
}

}  // namespace

Result<std::vector<float>> warm_start(const fs::path& folder, const RunConfig& config, std::uint32_t steps,
                                      std::uint32_t batch) {
  auto trainer = trainer_of(folder, config, sim::LocalData::kGenuine);
  trainer.batch = batch;
  std::vector<float> theta(state::layout_of(config.params.model).parameters());
  state::initial_parameters(config.params.model, config.params.model_seed, theta);
  Prng random(config.params.model_seed, 31);
  const auto sequences = sample_distinct(random, config.params.sequences, std::size_t{steps} * batch);
  return trainer::train_alone(trainer, theta, sequences, [](std::uint32_t, double) {});
}

sim::LabModel lab_model(const fs::path& folder, const RunConfig& config) {
  return {[folder, config](std::span<const float> theta, const sim::LocalTraining& training) {
            auto trainer = trainer_of(folder, config, training.data);
            if (training.drops_residual) trainer.error_feedback_decay = 0;
            return trainer::make_inner_loop(trainer, theta);
          },
          [folder, config](std::span<const float> theta) {
            return trainer::make_loss_probe(trainer_of(folder, config, sim::LocalData::kGenuine), theta);
          }};
}

}  // namespace muster::cli
