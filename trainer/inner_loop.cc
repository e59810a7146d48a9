#include "trainer/inner_loop.h"

#include <cmath>

#include "base/file.h"
#include "base/limits.h"
#include "state/outer_step.h"
#include "trainer/flat_tensor.h"
#include "trainer/torch_scope.h"

namespace muster::trainer {
namespace {

constexpr std::string_view kMagic = "MUSTERTR";
constexpr std::uint32_t kVersion = 1;

}  // namespace

LibtorchInnerLoop::LibtorchInnerLoop(const TrainerConfig& config, Data data,
                                     std::span<const float> parameters)
    : config_(config),
      layout_(state::layout_of(config.model)),
      model_(config.model),
      data_(std::move(data)),
      type_(compute_type(config.compute)),
      theta_(tensor_of(parameters)),
      optimizer_(config),
      residual_(parameters.size(), 0.0f) {}

Result<protocol::TrainReport> LibtorchInnerLoop::train(
    const protocol::TrainTask& task, const std::atomic<bool>& stop,
    const std::function<void(std::uint32_t)>& progress) {
  const TorchScope scope(config_.threads);
  const at::Tensor trained = theta_.clone();
  protocol::TrainReport report;
  const std::span<const std::uint64_t> sequences(task.sequences);
  const std::size_t batch = task.inner_steps == 0 ? 0 : sequences.size() / task.inner_steps;
  for (std::uint32_t step = 0; step < task.inner_steps; ++step) {
    if (stop) return Error{Errc::kCancelled, "training stopped"};
    MUSTER_TRY(const at::Tensor tokens, data_.batch(sequences.subspan(step * batch, batch)));
    const auto [loss, gradient] = loss_and_gradient(model_, trained, tokens, type_);
    if (!std::isfinite(loss))
      return Error{Errc::kNonFinite, "the loss diverged in round " +
                                         std::to_string(task.round.value) + ", inner step " +
                                         std::to_string(step)};
    optimizer_.step(trained, gradient,
                    learning_rate(config_.schedule,
                                  task.round.value * task.inner_steps + step));
    report.mean_loss += loss / task.inner_steps;
    progress(step);
  }
  report.inner_steps = task.inner_steps;
  report.sequences_used = static_cast<std::uint32_t>(sequences.size());
  delta_.resize(residual_.size());
  const auto before = floats(theta_), after = floats(trained);
  for (std::size_t i = 0; i < delta_.size(); ++i) delta_[i] = before[i] - after[i];
  return report;
}

Result<compression::Payload> LibtorchInnerLoop::encode(const compression::PayloadFormat& format) {
  MUSTER_CHECK(delta_.size() == residual_.size(), "encode without training");
  std::vector<float> sum(residual_.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = residual_[i] + delta_[i];
  MUSTER_TRY(compression::Payload payload, compression::compress(layout_, format, sum));
  MUSTER_TRY(sent_, compression::decode(layout_, payload));
  return payload;
}

void LibtorchInnerLoop::settle(protocol::Settlement settlement) {
  compression::ErrorFeedback feedback(std::move(residual_));
  if (settlement != protocol::Settlement::kMissed && sent_) {
    feedback.add(delta_);
    if (settlement == protocol::Settlement::kDelivered) feedback.subtract(*sent_);
  }
  feedback.decay(config_.error_feedback_decay);
  residual_.assign(feedback.residual().begin(), feedback.residual().end());
  delta_.clear();
  sent_.reset();
}

Status LibtorchInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  state::outer_step(mutable_floats(theta_), aggregate, config_.outer_learning_rate);
  return {};
}

std::span<const float> LibtorchInnerLoop::parameters() const { return floats(theta_); }

Status LibtorchInnerLoop::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != residual_.size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  theta_ = tensor_of(parameters);
  return {};
}

// File: magic, version, layout hash, tag, steps, flags, arrays, SHA-256 of all before it.
Status LibtorchInnerLoop::save(const std::filesystem::path& path, std::uint64_t tag) const {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  writer.append(layout_.hash().bytes);
  writer.write(tag);
  writer.write(static_cast<std::uint64_t>(optimizer_.steps.item<double>()));
  writer.write(static_cast<std::uint8_t>(sent_.has_value()));
  writer.append(bytes_of(floats(theta_)));
  writer.append(bytes_of(floats(optimizer_.first_moment)));
  writer.append(bytes_of(floats(optimizer_.second_moment)));
  writer.append(bytes_of(std::span<const float>(residual_)));
  if (sent_) {
    writer.append(bytes_of(std::span<const float>(delta_)));
    writer.write(static_cast<std::uint64_t>(sent_->indices.size()));
    writer.append(bytes_of(std::span<const std::uint64_t>(sent_->indices)));
    writer.append(bytes_of(std::span<const float>(sent_->values)));
  }
  const Hash check = sha256(writer.bytes());
  writer.append(check.bytes);
  return replace_file(path, writer.bytes());
}

Result<std::uint64_t> LibtorchInnerLoop::load(const std::filesystem::path& path) {
  MUSTER_TRY(const Bytes file, read_file(path, limits::kBlobBytesMax));
  const std::string name = path.string();
  ByteReader reader(file);
  const ByteSpan magic = reader.take(kMagic.size());
  if (magic.size() != kMagic.size() || !std::equal(magic.begin(), magic.end(), kMagic.begin()))
    return Error{Errc::kMalformed, name + ": not a trainer checkpoint"};
  if (const auto version = reader.read<std::uint32_t>(); version != kVersion)
    return Error{Errc::kVersion, name + ": trainer checkpoint version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  if (file.size() < 32) return Error{Errc::kTruncated, name + ": cut off"};
  const Hash check = sha256(ByteSpan(file).first(file.size() - 32));
  if (!std::equal(check.bytes.begin(), check.bytes.end(), file.end() - 32))
    return Error{Errc::kBadHash, name + ": damaged, its checksum does not match"};
  const ByteSpan layout = reader.take(32);
  if (!std::equal(layout.begin(), layout.end(), layout_.hash().bytes.begin()))
    return Error{Errc::kInvalidArgument, name + ": made for another model"};

  const auto tag = reader.read<std::uint64_t>();
  optimizer_.steps.fill_(static_cast<double>(reader.read<std::uint64_t>()));
  const bool pending = reader.read<std::uint8_t>() == 1;
  auto fill = [&reader](auto values) {
    const ByteSpan raw = reader.take(values.size_bytes());
    if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
  };
  fill(mutable_floats(theta_));
  fill(mutable_floats(optimizer_.first_moment));
  fill(mutable_floats(optimizer_.second_moment));
  fill(std::span<float>(residual_));
  delta_.clear();
  sent_.reset();
  if (pending) {
    delta_.resize(residual_.size());
    fill(std::span<float>(delta_));
    const auto count = reader.read<std::uint64_t>();
    if (count > residual_.size()) return Error{Errc::kMalformed, name + ": too many entries"};
    sent_.emplace();
    sent_->indices.resize(count);
    sent_->values.resize(count);
    fill(std::span<std::uint64_t>(sent_->indices));
    fill(std::span<float>(sent_->values));
  }
  if (reader.remaining() != 32 || reader.failed())
    return Error{Errc::kMalformed, name + ": of another size than its content"};
  return tag;
}

}  // namespace muster::trainer
