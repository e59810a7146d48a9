#include "trainer/trainer.h"

#include "trainer/loss_probe.h"
#include "trainer/rounds/inner_loop.h"
#include "trainer/run/learner.h"

namespace muster::trainer {
namespace {

Result<DataSet> open_data(const std::filesystem::path& path, const state::ModelSpec& model,
                          const char* split = kTrainSplit) {
  return DataSet::open(path, model.context, model.vocab, split);
}

}  // namespace

Result<std::unique_ptr<protocol::InnerLoop>> make_inner_loop(const TrainerConfig& config,
                                                             std::span<const float> parameters) {
  return make_local_inner_loop(config, parameters,
                               [config] { return make_round_engine(config, nullptr); });
}

Result<std::unique_ptr<protocol::LossProbe>> make_loss_probe(const TrainerConfig& config,
                                                             std::span<const float> parameters) {
  MUSTER_TRY(auto opened,
             open_device(config.device, config.model, config.compute, config.threads, config.card));
  MUSTER_TRY(DataSet train, open_data(config.train_data, config.model));
  MUSTER_TRY(DataSet held_out, open_data(config.held_out_data, config.model, kHeldOutSplit));
  return DeviceLossProbe::make(config, std::move(train), std::move(held_out),
                               std::move(opened.device), parameters);
}

Result<std::vector<float>> train_alone(const TrainerConfig& config,
                                       std::span<const float> parameters,
                                       std::span<const std::uint64_t> sequences,
                                       const std::function<void(std::uint32_t, double)>& progress) {
  MUSTER_TRY(auto opened,
             open_device(config.device, config.model, config.compute, config.threads, config.card));
  MUSTER_TRY(auto learner, Learner::make(std::move(opened.device),
                                         {.spec = config.model,
                                          .sequences = config.batch,
                                          .compute = config.compute.compute,
                                          .optimizer = config.optimizer},
                                         parameters));
  MUSTER_TRY(const DataSet data, open_data(config.train_data, config.model));
  std::vector<std::int32_t> tokens(config.batch * (config.model.context + std::size_t{1}));
  LossGuard guard({.spike_sd = 0});
  for (std::uint32_t step = 0; (step + 1) * std::size_t{config.batch} <= sequences.size(); ++step) {
    MUSTER_TRY_STATUS(
        data.read(sequences.subspan(step * std::size_t{config.batch}, config.batch), tokens));
    learner->add_pass(tokens);
    MUSTER_TRY(const LearnerStep taken, learner->finish_step(learning_rate(config.schedule, step),
                                                             config.gradient_clip, guard));
    progress(step, taken.loss);
  }
  MUSTER_TRY(const std::span<const float> theta, learner->theta());
  return std::vector<float>(theta.begin(), theta.end());
}

}  // namespace muster::trainer
