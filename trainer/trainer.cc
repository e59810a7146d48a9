#include "trainer/trainer.h"

#include "trainer/card/card_engine.h"
#include "trainer/card/card_loss_probe.h"
#include "trainer/loss_probe.h"
#include "trainer/rounds/host_engine.h"
#include "trainer/rounds/inner_loop.h"
#include "trainer/stepper.h"

namespace muster::trainer {
namespace {

Result<DataSet> open_data(const std::filesystem::path& path, const state::ModelSpec& model,
                          const char* split = kTrainSplit) {
  return DataSet::open(path, model.context, model.vocab, split);
}

}  // namespace

CardTask card_task(const TrainerConfig& config) {
  return {config.model, config.optimizer, config.compute.compute, config.batch};
}

Result<std::unique_ptr<RoundEngine>> make_round_engine(const TrainerConfig& config,
                                                       Collective* collective) {
  MUSTER_TRY(auto card,
             open_device(config.device, card_task(config), config.compute.libraries, config.card));
  if (card == nullptr) return make_host_engine(config, collective);
  if (collective == nullptr) return make_card_engine(config, std::move(card));
  MUSTER_TRY(const auto cards, gpu::load_cards(config.compute.libraries));
  MUSTER_TRY(auto rank, join_cards(*cards, *card, *collective));
  return make_card_engine(config, std::move(card), std::move(rank));
}

Result<std::unique_ptr<protocol::InnerLoop>> make_inner_loop(const TrainerConfig& config,
                                                             std::span<const float> parameters) {
  return make_local_inner_loop(config, parameters,
                               [config] { return make_round_engine(config, nullptr); });
}

Result<std::unique_ptr<protocol::LossProbe>> make_loss_probe(const TrainerConfig& config,
                                                             std::span<const float> parameters) {
  MUSTER_TRY(auto card, open_device(config.device, card_task(config), config.compute.libraries));
  if (card != nullptr) {
    MUSTER_TRY(DataSet train, open_data(config.train_data, config.model));
    MUSTER_TRY(DataSet held_out, open_data(config.held_out_data, config.model, kHeldOutSplit));
    return CardLossProbe::make(config, std::move(train), std::move(held_out), std::move(card),
                               parameters);
  }
  auto team = std::make_unique<Team>(config.threads);
  MUSTER_TRY(auto llama, Llama::make(config.model, config.compute, *team));
  MUSTER_TRY(DataSet train, open_data(config.train_data, config.model));
  MUSTER_TRY(DataSet held_out, open_data(config.held_out_data, config.model, kHeldOutSplit));
  return std::unique_ptr<protocol::LossProbe>(
      std::make_unique<LlamaLossProbe>(config, std::move(train), std::move(held_out),
                                       std::move(team), std::move(llama), parameters));
}

Result<std::vector<float>> train_alone(const TrainerConfig& config,
                                       std::span<const float> parameters,
                                       std::span<const std::uint64_t> sequences,
                                       const std::function<void(std::uint32_t, double)>& progress) {
  MUSTER_TRY(Stepper stepper, Stepper::make(config));
  MUSTER_TRY(const DataSet data, open_data(config.train_data, config.model));
  std::vector<float> theta(parameters.begin(), parameters.end());
  std::vector<std::int32_t> tokens(config.batch * (config.model.context + std::size_t{1}));
  LossGuard guard({.spike_sd = 0});
  for (std::uint32_t step = 0; (step + 1) * std::size_t{config.batch} <= sequences.size(); ++step) {
    MUSTER_TRY_STATUS(
        data.read(sequences.subspan(step * std::size_t{config.batch}, config.batch), tokens));
    progress(step, stepper.step(theta, tokens, learning_rate(config.schedule, step), guard).loss);
  }
  return theta;
}

}  // namespace muster::trainer
