#include "trainer/loss_probe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trainer/flat_tensor.h"
#include "trainer/torch_scope.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kEvaluationBatch = 32;
constexpr std::size_t kGradientBatch = 32;

}  // namespace

LibtorchLossProbe::LibtorchLossProbe(const TrainerConfig& config, Data train, Data held_out,
                                     std::span<const float> parameters)
    : config_(config),
      model_(config.model),
      train_(std::move(train)),
      held_out_(std::move(held_out)),
      type_(compute_type(config.compute)),
      theta_(tensor_of(parameters)) {}

std::span<float> LibtorchLossProbe::theta() { return mutable_floats(theta_); }

std::span<const float> LibtorchLossProbe::parameters() const { return floats(theta_); }

Status LibtorchLossProbe::compute_gradient(std::span<const std::uint64_t> sequences) {
  const TorchScope scope(config_.threads);
  gradient_ = at::zeros({model_.parameters()});
  const auto total = static_cast<double>(sequences.size());
  while (!sequences.empty()) {
    const auto part = sequences.first(std::min(sequences.size(), kGradientBatch));
    MUSTER_TRY(const at::Tensor tokens, train_.batch(part));
    const auto result = loss_and_gradient(model_, theta_, tokens, type_);
    gradient_.add_(result.gradient, static_cast<double>(part.size()) / total);
    sequences = sequences.subspan(part.size());
  }
  double square = 0;
  for (float g : floats(gradient_)) square += static_cast<double>(g) * static_cast<double>(g);
  gradient_norm_ = std::sqrt(square);
  return {};
}

double LibtorchLossProbe::gradient_cosine(const compression::SparseUpdate& update) const {
  MUSTER_CHECK(gradient_.defined(), "a cosine before any gradient");
  const auto g = floats(gradient_);
  double dot = 0;
  for (std::size_t i = 0; i < update.indices.size(); ++i)
    dot += static_cast<double>(update.values[i]) * static_cast<double>(g[update.indices[i]]);
  const double norms = gradient_norm_ * compression::norm(update);
  return norms > 0 ? dot / norms : 0;
}

void LibtorchLossProbe::swap_with_undo() {
  const auto values = theta();
  for (std::size_t i = 0; i < undo_.indices.size(); ++i)
    std::swap(values[undo_.indices[i]], undo_.values[i]);
}

Result<std::vector<float>> LibtorchLossProbe::evaluate(const Data& data,
                                                       std::span<const std::uint64_t> sequences) {
  const TorchScope scope(config_.threads);
  const at::Tensor flat = theta_.to(type_);
  std::vector<float> losses;
  while (!sequences.empty()) {
    const auto part = sequences.first(std::min(sequences.size(), kEvaluationBatch));
    MUSTER_TRY(const at::Tensor tokens, data.batch(part));
    const at::Tensor result = model_.losses(flat, tokens).contiguous();
    const auto values = floats(result);
    losses.insert(losses.end(), values.begin(), values.end());
    sequences = sequences.subspan(part.size());
  }
  return losses;
}

Result<std::vector<float>> LibtorchLossProbe::losses(protocol::ProbePoint point,
                                                     const compression::SparseUpdate* update,
                                                     float scale,
                                                     std::span<const std::uint64_t> sequences) {
  const bool back = point == protocol::ProbePoint::kPrevious;
  if (back) swap_with_undo();
  state::UndoLog displaced;
  if (update != nullptr) displaced = state::outer_step_with_undo(theta(), *update, scale);
  auto result = evaluate(train_, sequences);
  state::undo(theta(), displaced);
  if (back) swap_with_undo();
  return result;
}

Result<double> LibtorchLossProbe::held_out_loss() {
  std::vector<std::uint64_t> ids(
      std::min<std::uint64_t>(config_.held_out_sequences, held_out_.sequences()));
  // Spread over the whole set, so that few sequences still see all of it.
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i * held_out_.sequences() / ids.size();
  MUSTER_TRY(const auto losses, evaluate(held_out_, ids));
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

Status LibtorchLossProbe::apply(const compression::SparseUpdate& aggregate) {
  undo_ = state::outer_step_with_undo(theta(), aggregate, config_.outer_learning_rate);
  return {};
}

Status LibtorchLossProbe::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != theta().size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  std::copy(parameters.begin(), parameters.end(), theta().begin());
  undo_ = {};
  return {};
}

std::string LibtorchLossProbe::platform_class() const {
  __builtin_cpu_init();
  const char* isa = __builtin_cpu_supports("avx512bf16")  ? "avx512bf16"
                    : __builtin_cpu_supports("avx512f") ? "avx512"
                    : __builtin_cpu_supports("avx2")    ? "avx2"
                                                        : "baseline";
  return std::string("libtorch-2.11/") + isa + "/" +
         (type_ == at::kBFloat16 ? "bf16" : "fp32") + "/" + std::to_string(config_.threads);
}

}  // namespace muster::trainer
