#include "trainer/inner_loop.h"

#include <cmath>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "state/outer_step.h"
#include "trainer/flat_tensor.h"
#include "trainer/torch_scope.h"

namespace muster::trainer {
namespace {

constexpr std::string_view kMagic = "MUSTERTR";
constexpr std::uint32_t kVersion = 2;

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
      first_(parameters.size(), 0.0f),
      second_(parameters.size(), 0.0f),
      feedback_(first_, second_) {}

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
  const auto delta = feedback_.delta();
  const auto before = floats(theta_), after = floats(trained);
  trained_ = true;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    delta[i] = before[i] - after[i];
    trained_ = trained_ && std::isfinite(delta[i]);
  }
  if (!trained_)
    return Error{Errc::kNonFinite,
                 "training diverged in round " + std::to_string(task.round.value)};
  return report;
}

Result<compression::Payload> LibtorchInnerLoop::encode(const compression::PayloadFormat& format) {
  MUSTER_CHECK(std::exchange(trained_, false), "encode without training");
  return feedback_.compress(layout_, format, static_cast<unsigned>(config_.threads));
}

void LibtorchInnerLoop::settle(protocol::Settlement settlement) {
  const float beta = config_.error_feedback_decay;
  trained_ = false;
  if (!feedback_.is_pending() || settlement == protocol::Settlement::kMissed) {
    feedback_.settle_missed(beta);
  } else if (settlement == protocol::Settlement::kDelivered) {
    feedback_.settle_delivered(beta);
  } else {
    feedback_.settle_kept(beta);
  }
}

Status LibtorchInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  state::outer_step(mutable_floats(theta_), aggregate, config_.outer_learning_rate);
  return {};
}

std::span<const float> LibtorchInnerLoop::parameters() const { return floats(theta_); }

Status LibtorchInnerLoop::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != first_.size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  theta_ = tensor_of(parameters);
  return {};
}

// File: magic, version, layout hash, tag, steps, arrays, error feedback, SHA-256 of all before it.
Status LibtorchInnerLoop::save(const std::filesystem::path& path, std::uint64_t tag) const {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  writer.append(layout_.hash().bytes);
  writer.write(tag);
  writer.write(static_cast<std::uint64_t>(optimizer_.steps.item<double>()));
  writer.append(bytes_of(floats(theta_)));
  writer.append(bytes_of(floats(optimizer_.first_moment)));
  writer.append(bytes_of(floats(optimizer_.second_moment)));
  const auto feedback = feedback_.state();
  writer.append(bytes_of(feedback_.residual()));
  writer.write(static_cast<std::uint8_t>(feedback.pending));
  if (feedback.pending) {
    writer.append(bytes_of(std::span<const float>(feedback_.delta())));
    writer.write(static_cast<std::uint64_t>(feedback.indices.size()));
    writer.append(bytes_of(std::span<const std::uint64_t>(feedback.indices)));
    writer.append(bytes_of(std::span<const float>(feedback.originals)));
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
  auto fill = [&reader](auto values) {
    const ByteSpan raw = reader.take(values.size_bytes());
    if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
  };
  fill(mutable_floats(theta_));
  fill(mutable_floats(optimizer_.first_moment));
  fill(mutable_floats(optimizer_.second_moment));
  feedback_ = compression::ErrorFeedback(first_, second_);
  fill(std::span<float>(first_));
  trained_ = false;
  compression::ErrorFeedback::State feedback;
  feedback.pending = reader.read<std::uint8_t>() == 1;
  if (feedback.pending) {
    fill(std::span<float>(second_));
    const auto count = reader.read<std::uint64_t>();
    if (count > second_.size()) return Error{Errc::kMalformed, name + ": too many entries"};
    feedback.indices.resize(count);
    feedback.originals.resize(count);
    fill(std::span<std::uint64_t>(feedback.indices));
    fill(std::span<float>(feedback.originals));
  }
  for (std::uint64_t index : feedback.indices)
    if (index >= second_.size()) return Error{Errc::kMalformed, name + ": an entry out of range"};
  feedback_.restore(std::move(feedback));
  if (reader.remaining() != 32 || reader.failed())
    return Error{Errc::kMalformed, name + ": of another size than its content"};
  return tag;
}

}  // namespace muster::trainer
