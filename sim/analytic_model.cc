#include "sim/analytic_model.h"

#include <cmath>

#include "base/prng.h"
#include "state/outer_step.h"

namespace muster::sim {
namespace {

constexpr std::size_t kTargetsPerSequence = 24;
constexpr float kTargetSpread = 0.5f;
constexpr double kStep = 0.15;

float centred(Prng& random) { return static_cast<float>(random.uniform() * 2 - 1); }

}  // namespace

AnalyticModel::AnalyticModel(std::uint64_t seed, std::uint64_t parameters) : seed_(seed) {
  Prng random(seed, 1);
  for (std::uint64_t i = 0; i < parameters; ++i) optimum_.push_back(centred(random));
}

std::vector<AnalyticModel::Target> AnalyticModel::targets(std::uint64_t sequence) const {
  Prng random(seed_ ^ 0x5eed, sequence);
  std::vector<Target> targets;
  for (std::size_t i = 0; i < kTargetsPerSequence; ++i) {
    const std::uint64_t index = random.below(optimum_.size());
    targets.push_back({index, optimum_[index] + kTargetSpread * centred(random)});
  }
  return targets;
}

double AnalyticModel::loss(std::span<const float> theta, std::uint64_t sequence) const {
  double common = 0;
  for (std::size_t i = 0; i < theta.size(); ++i) {
    const double d = static_cast<double>(theta[i]) - static_cast<double>(optimum_[i]);
    common += d * d;
  }
  double own = 0;
  for (const Target& target : targets(sequence)) {
    const double d = static_cast<double>(theta[target.index]) - static_cast<double>(target.value);
    own += d * d;
  }
  return 0.5 * common / static_cast<double>(theta.size()) + 0.5 * own / kTargetsPerSequence;
}

void AnalyticModel::add_gradient(std::span<const float> theta, std::uint64_t sequence, double scale,
                                 std::span<float> gradient) const {
  // Scaled by the parameter count, so that a step of order one moves every coordinate.
  const auto factor = static_cast<float>(scale);
  for (std::size_t i = 0; i < theta.size(); ++i) gradient[i] += factor * (theta[i] - optimum_[i]);
  const float own = factor * static_cast<float>(theta.size()) / kTargetsPerSequence / 16;
  for (const Target& target : targets(sequence))
    gradient[target.index] += own * (theta[target.index] - target.value);
}

AnalyticInnerLoop::AnalyticInnerLoop(const protocol::ProtocolParams& params,
                                     const AnalyticModel& model, std::vector<float> theta)
    : params_(params),
      model_(model),
      layout_(state::layout_of(params.model)),
      theta_(std::move(theta)),
      first_(theta_.size(), 0.0f),
      second_(theta_.size(), 0.0f),
      feedback_(first_, second_) {}

Result<protocol::TrainReport> AnalyticInnerLoop::train(
    const protocol::TrainTask& task, const std::atomic<bool>& stop,
    const std::function<void(std::uint32_t)>& progress) {
  std::vector<float> trained = theta_;
  const std::size_t batch = task.inner_steps == 0 ? 0 : task.sequences.size() / task.inner_steps;
  for (std::uint32_t step = 0; step < task.inner_steps; ++step) {
    if (stop) return Error{Errc::kCancelled, "stopped"};
    std::vector<float> gradient(theta_.size(), 0.0f);
    for (std::size_t i = 0; i < batch; ++i)
      model_.add_gradient(trained, task.sequences[step * batch + i],
                          kStep / static_cast<double>(batch), gradient);
    for (std::size_t i = 0; i < trained.size(); ++i) trained[i] -= gradient[i];
    progress(step);
  }
  const auto delta = feedback_.delta();
  for (std::size_t i = 0; i < delta.size(); ++i) delta[i] = theta_[i] - trained[i];
  return protocol::TrainReport{
      .sequences_used = static_cast<std::uint32_t>(task.sequences.size()),
      .inner_steps = task.inner_steps,
      .mean_loss = task.sequences.empty() ? 0 : model_.loss(trained, task.sequences[0])};
}

Result<compression::Payload> AnalyticInnerLoop::encode(const compression::PayloadFormat& format) {
  return feedback_.compress(layout_, format);
}

void AnalyticInnerLoop::settle(protocol::Settlement settlement) {
  const float beta = params_.compression.error_feedback_decay;
  if (!feedback_.is_pending() || settlement == protocol::Settlement::kMissed) {
    feedback_.settle_missed(beta);
  } else if (settlement == protocol::Settlement::kDelivered) {
    feedback_.settle_delivered(beta);
  } else {
    feedback_.settle_kept(beta);
  }
}

Status AnalyticInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  state::outer_step(theta_, aggregate, params_.compression.outer_learning_rate);
  return {};
}

Status AnalyticInnerLoop::set_parameters(std::span<const float> parameters) {
  theta_.assign(parameters.begin(), parameters.end());
  return {};
}

Status AnalyticInnerLoop::save(const std::filesystem::path&, std::uint64_t) const {
  return Error{Errc::kInvalidArgument, "the analytic model lives on the simulated disk"};
}
Result<std::uint64_t> AnalyticInnerLoop::load(const std::filesystem::path&) {
  return Error{Errc::kInvalidArgument, "the analytic model lives on the simulated disk"};
}

Bytes AnalyticInnerLoop::snapshot(std::uint64_t tag) const {
  ByteWriter writer;
  writer.write(tag);
  writer.append(bytes_of(std::span<const float>(theta_)));
  const auto feedback = feedback_.state();
  writer.append(bytes_of(feedback_.residual()));
  writer.append(bytes_of(std::span<const float>(feedback_.delta())));
  writer.write(static_cast<std::uint8_t>(feedback.pending));
  writer.write(static_cast<std::uint64_t>(feedback.indices.size()));
  writer.append(bytes_of(std::span<const std::uint64_t>(feedback.indices)));
  writer.append(bytes_of(std::span<const float>(feedback.originals)));
  return std::move(writer).take();
}

std::uint64_t AnalyticInnerLoop::restore(ByteSpan bytes) {
  ByteReader reader(bytes);
  const auto tag = reader.read<std::uint64_t>();
  auto fill = [&reader](auto& values) {
    const ByteSpan raw = reader.take(values.size() * sizeof(values[0]));
    MUSTER_CHECK(!reader.failed(), "a snapshot of another model");
    if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
  };
  fill(theta_);
  feedback_ = compression::ErrorFeedback(first_, second_);
  fill(first_);
  fill(second_);
  compression::ErrorFeedback::State feedback;
  feedback.pending = reader.read<std::uint8_t>() == 1;
  const auto count = reader.read<std::uint64_t>();
  feedback.indices.resize(count);
  feedback.originals.resize(count);
  fill(feedback.indices);
  fill(feedback.originals);
  feedback_.restore(std::move(feedback));
  return tag;
}

void AnalyticInnerLoop::flip_bit() {
  auto* bytes = reinterpret_cast<std::uint8_t*>(theta_.data());
  bytes[5] ^= 1;
}

AnalyticLossProbe::AnalyticLossProbe(const protocol::ProtocolParams& params,
                                     const AnalyticModel& model, std::vector<float> theta)
    : params_(params),
      model_(model),
      theta_(std::move(theta)),
      previous_(theta_),
      groups_(state::tensor_groups(state::layout_of(params.model))) {}

Status AnalyticLossProbe::compute_gradient(std::span<const std::uint64_t> sequences) {
  gradient_.assign(theta_.size(), 0.0f);
  for (std::uint64_t sequence : sequences)
    model_.add_gradient(theta_, sequence, 1.0 / static_cast<double>(sequences.size()), gradient_);
  return {};
}

Result<double> AnalyticLossProbe::gradient_cosine(const compression::SparseUpdate& update) {
  double dot = 0, square = 0;
  for (std::size_t i = 0; i < update.indices.size(); ++i)
    dot +=
        static_cast<double>(update.values[i]) * static_cast<double>(gradient_[update.indices[i]]);
  for (float g : gradient_) square += static_cast<double>(g) * static_cast<double>(g);
  const double norms = std::sqrt(square) * compression::norm(update);
  return norms > 0 ? dot / norms : 0;
}

Result<std::vector<float>> AnalyticLossProbe::losses(protocol::ProbePoint point,
                                                     const compression::SparseUpdate* update,
                                                     float scale,
                                                     std::span<const std::uint64_t> sequences) {
  std::vector<float> theta = point == protocol::ProbePoint::kCurrent ? theta_ : previous_;
  if (update != nullptr) state::outer_step(theta, *update, scale);
  std::vector<float> result;
  for (std::uint64_t sequence : sequences)
    result.push_back(static_cast<float>(model_.loss(theta, sequence)));
  return result;
}

Result<std::vector<double>> AnalyticLossProbe::products(
    std::span<const protocol::Window> windows,
    std::span<const compression::SparseUpdate* const> updates) {
  std::vector<double> products(windows.size() * updates.size() * groups_.count);
  std::span<double> left(products);
  std::vector<float> gradient;
  for (const protocol::Window& window : windows) {
    gradient.assign(previous_.size(), 0.0f);
    model_.add_gradient(previous_, window.sequence, 1, gradient);
    for (const compression::SparseUpdate* update : updates) {
      state::multiply_by_group(groups_, *update, gradient, left.first(groups_.count));
      left = left.subspan(groups_.count);
    }
  }
  return products;
}

Result<double> AnalyticLossProbe::held_out_loss() { return model_.loss(theta_, ~std::uint64_t{0}); }

Status AnalyticLossProbe::apply(const compression::SparseUpdate& aggregate) {
  previous_ = theta_;
  state::outer_step(theta_, aggregate, params_.compression.outer_learning_rate);
  return {};
}

Status AnalyticLossProbe::set_parameters(std::span<const float> parameters) {
  theta_.assign(parameters.begin(), parameters.end());
  previous_ = theta_;
  return {};
}

}  // namespace muster::sim
