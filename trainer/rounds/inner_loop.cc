#include "trainer/rounds/inner_loop.h"

#include <algorithm>
#include <utility>

#include "state/outer_step.h"

namespace muster::trainer {

Status LlamaInnerLoop::recover() const {
  if (trainer_->is_sound()) return {};
  MUSTER_TRY_STATUS(trainer_->restart());
  if (saved_) {
    MUSTER_TRY(const auto file, StateFile::open(*saved_, layout_));
    MUSTER_TRY_STATUS(trainer_->read(file));
  }
  for (const auto settlement : settled_since_) MUSTER_TRY_STATUS(trainer_->settle(settlement));
  return {};
}

Result<protocol::TrainReport> LlamaInnerLoop::train(
    const protocol::TrainTask& task, const std::atomic<bool>& stop,
    const std::function<void(std::uint32_t)>& progress) {
  MUSTER_TRY_STATUS(recover());
  return trainer_->train(task, stop, progress);
}

Result<compression::Payload> LlamaInnerLoop::encode(const compression::PayloadFormat& format) {
  MUSTER_TRY(auto segments, trainer_->encode(format));
  return compression::Payload{format, std::move(segments)};
}

void LlamaInnerLoop::settle(protocol::Settlement settlement) {
  const bool was_sound = trainer_->is_sound() && trainer_->settle(settlement).has_value();
  settled_since_.push_back(settlement);
  if (!was_sound) (void)recover();  // at the latest train() says why it cannot
}

Status LlamaInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  state::outer_step(theta_.values(), aggregate, outer_learning_rate_);
  return {};
}

Status LlamaInnerLoop::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != theta_.values().size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  std::ranges::copy(parameters, theta_.values().begin());
  return {};
}

Status LlamaInnerLoop::save(const std::filesystem::path& path, std::uint64_t tag) const {
  MUSTER_TRY_STATUS(recover());
  Status written = write(path, tag);
  if (!written && !trainer_->is_sound()) {
    MUSTER_TRY_STATUS(recover());
    written = write(path, tag);
  }
  MUSTER_TRY_STATUS(std::move(written));
  saved_ = path;
  settled_since_.clear();
  return {};
}

Status LlamaInnerLoop::write(const std::filesystem::path& path, std::uint64_t tag) const {
  MUSTER_TRY(StateHead head, trainer_->describe());
  head.tag = tag;
  MUSTER_TRY(auto file, StateFile::create(path, layout_, head));
  std::ranges::copy(theta_.values(), file.theta().begin());
  MUSTER_TRY_STATUS(trainer_->write(file, 0));
  return file.commit();
}

Result<std::uint64_t> LlamaInnerLoop::load(const std::filesystem::path& path) {
  MUSTER_TRY(const auto file, StateFile::open(path, layout_));
  MUSTER_TRY_STATUS(recover());
  MUSTER_TRY_STATUS(trainer_->read(file));
  std::ranges::copy(file.theta(), theta_.values().begin());
  saved_ = path;
  settled_since_.clear();
  return file.head().tag;
}

Result<std::unique_ptr<protocol::InnerLoop>> make_local_inner_loop(
    const TrainerConfig& config, std::span<const float> parameters,
    RoundShare::MakeEngine make_engine) {
  auto layout = state::layout_of(config.model);
  MUSTER_TRY(auto theta, SharedFloats::make(layout.parameters()));
  MUSTER_TRY(DataSet data, DataSet::open(config.train_data, config.model.context,
                                         config.model.vocab, kTrainSplit));
  MUSTER_TRY(auto share,
             RoundShare::make(config, std::move(data), theta.values(), std::move(make_engine)));
  auto loop = std::make_unique<LlamaInnerLoop>(std::move(layout), config.outer_learning_rate,
                                               std::move(theta), std::move(share));
  MUSTER_TRY_STATUS(loop->set_parameters(parameters));
  return std::unique_ptr<protocol::InnerLoop>(std::move(loop));
}

}  // namespace muster::trainer
