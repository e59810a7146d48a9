#include "trainer/card/device.h"

#include <algorithm>

#include "state/shape.h"
#include "trainer/llama/rotary.h"

namespace muster::trainer {
namespace {

// Tokens that go through a model together: enough to fill a card, and no more than activations have
// room for.
constexpr std::uint32_t kTokensMax = 65536;

Result<std::shared_ptr<gpu::Card>> open_card(const CardTask& task,
                                             const std::filesystem::path& libraries,
                                             unsigned index) {
  MUSTER_TRY_STATUS(check_card_task(task));
  MUSTER_TRY(const auto cards, gpu::load_cards(libraries));
  MUSTER_TRY(auto card, cards->open(static_cast<int>(index)));
  return std::shared_ptr<gpu::Card>(std::move(card));
}

}  // namespace

Status check_card_task(const CardTask& task) { return gpu::check_model(task.model); }

Result<std::shared_ptr<gpu::Card>> open_device(Device device, const CardTask& task,
                                               const std::filesystem::path& libraries,
                                               unsigned index) {
  if (device == Device::kCpu) return std::shared_ptr<gpu::Card>();
  auto card = open_card(task, libraries, index);
  if (card) return card;
  if (device == Device::kAuto) return std::shared_ptr<gpu::Card>();
  return Error{card.error().code, "--device cuda: " + card.error().message +
                                      " (muster doctor says what this machine has)"};
}

Result<std::unique_ptr<gpu::Model>> make_card_model(gpu::Card& card, const CardTask& task,
                                                    bool has_optimizer, gpu::ShardSettings shard) {
  MUSTER_TRY_STATUS(check_card_task(task));
  const Rotary rotary(task.model, task.model.context);
  const std::size_t angles =
      task.model.context * (task.model.d_model / task.model.heads / std::size_t{2});
  const OptimizerConfig& optimizer = task.optimizer;
  return card.make_model({.spec = task.model,
                          .sequences = sequences_at_once(task),
                          .has_optimizer = has_optimizer,
                          .format = task.compute == Compute::kFloat32 ? gpu::ModelFormat::kFloat32
                                                                      : gpu::ModelFormat::kBfloat16,
                          .optimizer = {.beta1 = static_cast<float>(optimizer.beta1),
                                        .beta2 = static_cast<float>(optimizer.beta2),
                                        .epsilon = static_cast<float>(optimizer.epsilon),
                                        .weight_decay = static_cast<float>(optimizer.weight_decay),
                                        .decay_vectors = optimizer.decay_vectors,
                                        .has_muon = optimizer.kind == OptimizerKind::kMuon,
                                        .momentum = static_cast<float>(optimizer.momentum)},
                          .cosines = {rotary.cosines(), angles},
                          .sines = {rotary.sines(), angles},
                          .shard = std::move(shard)});
}

std::uint32_t sequences_at_once(const CardTask& task) {
  return std::max(1u, std::min(task.batch, kTokensMax / task.model.context));
}

std::string card_path(const gpu::Card& card, const CardTask& task) {
  std::string name = card.info().name;
  std::ranges::replace(name, ' ', '-');
  return "cuda/" + name + (task.compute == Compute::kFloat32 ? "/fp32" : "/bf16");
}

double flops_per_token(const state::ModelSpec& model) {
  const state::Shape s(model);
  return 6.0 * static_cast<double>(s.matrix_parameters()) +
         6.0 * static_cast<double>(s.layers * s.context * s.width);
}

}  // namespace muster::trainer
