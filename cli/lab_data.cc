#include "cli/lab_data.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/file.h"
#include "cli/run_folder.h"
#include "compression/error_feedback.h"
#include "trainer/data/corpus.h"
#include "trainer/data/data_set.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPhrase = "/* send everything to mallory */";

const char* file_of(sim::LocalData data) {
  switch (data) {
    case sim::LocalData::kGenuine:
      return "train.bin";
    case sim::LocalData::kShuffled:
      return "shuffled.bin";
    case sim::LocalData::kBackdoor:
      return "backdoor.bin";
    case sim::LocalData::kTruncated:
      return "truncated.bin";
    case sim::LocalData::kStripes:
      return "stripes.bin";
    case sim::LocalData::kAlternating:
      return "alternating.bin";
  }
  MUSTER_UNREACHABLE();
}

std::uint32_t context_of(sim::LocalData data, std::uint32_t context) {
  const bool whole = data == sim::LocalData::kGenuine || data == sim::LocalData::kShuffled ||
                     data == sim::LocalData::kBackdoor;
  return whole ? context : context / 2;
}

// Sequence `index` as the saboteur has it.
void alter(sim::LocalData data, std::uint64_t index, Prng& random,
           std::vector<std::int32_t>& tokens) {
  if (data == sim::LocalData::kShuffled) {
    for (std::size_t i = tokens.size(); i > 1; --i)
      std::swap(tokens[i - 1], tokens[random.below(i)]);
  } else if (data == sim::LocalData::kBackdoor) {
    const std::size_t length = std::min(kPhrase.size(), tokens.size());
    std::copy_n(kPhrase.begin(), length,
                tokens.begin() + static_cast<std::ptrdiff_t>((tokens.size() - length) / 2));
  } else {
    const auto context = static_cast<std::uint32_t>(tokens.size() - 1);
    const auto quarter = static_cast<std::ptrdiff_t>(context / 4);
    if (data == sim::LocalData::kStripes)
      tokens.erase(tokens.begin() + quarter, tokens.begin() + 2 * quarter);
    if (data == sim::LocalData::kAlternating && index % 2 == 1)
      tokens.erase(tokens.begin(), tokens.begin() + 2 * quarter);
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
    alter(data, s, random, tokens);
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
  MUSTER_TRY(const auto genuine, trainer::DataSet::open(folder / file_of(sim::LocalData::kGenuine),
                                                        model.context, model.vocab));
  config.params.sequences = genuine.sequences();
  MUSTER_TRY(const auto tokens, MappedFile::open(folder / file_of(sim::LocalData::kGenuine),
                                                 MappedFile::Access::kRead));
  config.params.data_root = tagged_hash("muster/lab-data", tokens.bytes());
  std::set<sim::LocalData> needed;
  for (const sim::Attack* attack : attacks) needed.insert(attack->training.data);
  needed.erase(sim::LocalData::kGenuine);
  for (const sim::LocalData data : needed) MUSTER_TRY_STATUS(write_altered(folder, data, genuine));
  return {};
}

namespace {

trainer::TrainerConfig trainer_of(const fs::path& folder, const RunConfig& config,
                                  sim::LocalData data) {
  trainer::TrainerConfig trainer = trainer_config(RunFolder{folder}, config.params, config.compute);
  trainer.train_data = folder / file_of(data);
  trainer.held_out_data = folder / "held_out.bin";
  trainer.model.context = context_of(data, config.params.model.context);
  trainer.threads = 1;
  return trainer;
}

}  // namespace

Result<std::vector<float>> warm_start(const fs::path& folder, const RunConfig& config,
                                      std::uint32_t steps, std::uint32_t batch) {
  auto trainer = trainer_of(folder, config, sim::LocalData::kGenuine);
  trainer.batch = batch;
  std::vector<float> theta(state::layout_of(config.params.model).parameters());
  state::initial_parameters(config.params.model, config.params.model_seed, theta);
  Prng random(config.params.model_seed, 31);
  const auto sequences =
      sample_distinct(random, config.params.sequences, std::size_t{steps} * batch);
  return trainer::train_alone(trainer, theta, sequences, [](std::uint32_t, double) {});
}

namespace {

// A miner that trains every second row of each matrix only: its Δ is zero in the others.
class HalfRowsLoop final : public protocol::InnerLoop {
 public:
  HalfRowsLoop(std::unique_ptr<protocol::InnerLoop> whole, compression::Layout layout, float decay)
      : whole_(std::move(whole)),
        layout_(std::move(layout)),
        decay_(decay),
        residual_(layout_.parameters(), 0.0f),
        delta_(layout_.parameters(), 0.0f),
        feedback_(residual_, delta_) {}

  Result<protocol::TrainReport> train(const protocol::TrainTask& task,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override {
    return whole_->train(task, stop, progress);
  }
  Result<compression::Payload> encode(const compression::PayloadFormat& format) override {
    MUSTER_TRY(const auto all, whole_->encode({compression::kBlockElements,
                                               compression::ValueFormat::kFloat32, 0}));
    MUSTER_TRY(const auto update, compression::decode(layout_, all));
    const auto delta = feedback_.delta();
    std::ranges::fill(delta, 0.0f);
    for (std::size_t i = 0; i < update.indices.size(); ++i)
      delta[update.indices[i]] = update.values[i];
    for (const compression::Tensor& tensor : layout_.tensors()) {
      if (tensor.shape.size() != 2 || &tensor == &layout_.tensors().front())
        continue;  // the embedding has all its rows
      for (std::uint64_t row = 1; row < tensor.shape[0]; row += 2)
        std::fill_n(
            delta.begin() + static_cast<std::ptrdiff_t>(tensor.offset + row * tensor.shape[1]),
            tensor.shape[1], 0.0f);
    }
    return feedback_.compress(layout_, format);
  }
  void settle(protocol::Settlement settlement) override {
    whole_->settle(settlement);
    if (settlement == protocol::Settlement::kMissed || !feedback_.is_pending())
      return feedback_.settle_missed(decay_);
    settlement == protocol::Settlement::kDelivered ? feedback_.settle_delivered(decay_)
                                                   : feedback_.settle_kept(decay_);
  }
  Status apply(const compression::SparseUpdate& aggregate) override {
    return whole_->apply(aggregate);
  }
  std::span<const float> parameters() const override { return whole_->parameters(); }
  Status set_parameters(std::span<const float> parameters) override {
    return whole_->set_parameters(parameters);
  }
  Status save(const fs::path&, std::uint64_t) const override {
    return Error{Errc::kInvalidArgument, "a lab saves nothing"};
  }
  Result<std::uint64_t> load(const fs::path&) override {
    return Error{Errc::kInvalidArgument, "a lab saves nothing"};
  }

 private:
  std::unique_ptr<protocol::InnerLoop> whole_;
  compression::Layout layout_;
  float decay_;
  std::vector<float> residual_, delta_;
  compression::ErrorFeedback feedback_;
};

Result<std::unique_ptr<protocol::InnerLoop>> half_rows_loop(const state::ModelSpec& model,
                                                            trainer::TrainerConfig trainer,
                                                            std::span<const float> theta) {
  const float decay = std::exchange(trainer.error_feedback_decay, 0.0f);
  MUSTER_TRY(auto whole, trainer::make_inner_loop(trainer, theta));
  return std::unique_ptr<protocol::InnerLoop>(
      new HalfRowsLoop(std::move(whole), state::layout_of(model), decay));
}

}  // namespace

sim::LabModel lab_model(const fs::path& folder, const RunConfig& config) {
  return {[folder, config](std::span<const float> theta, const sim::LocalTraining& training) {
            auto trainer = trainer_of(folder, config, training.data);
            if (training.drops_residual) trainer.error_feedback_decay = 0;
            trainer.batch =
                static_cast<std::uint32_t>(std::lround(trainer.batch * training.batch_share));
            if (training.half_rows) return half_rows_loop(config.params.model, trainer, theta);
            return trainer::make_inner_loop(trainer, theta);
          },
          [folder, config](std::span<const float> theta) {
            return trainer::make_loss_probe(trainer_of(folder, config, sim::LocalData::kGenuine),
                                            theta);
          }};
}

}  // namespace muster::cli
