// Learner: what a training takes its steps with: a model, the guard's word on each step, and what a
// checkpoint keeps of it.
//
// Thread safety: one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/device.h"
#include "trainer/optim/optimizer.h"
#include "trainer/run/loss_guard.h"

namespace muster::trainer {

struct LearnerStep {
  double loss = 0;           // mean nats per token over the step's passes, before the step
  double gradient_norm = 0;  // before clipping
  Verdict verdict = Verdict::kApply;
};

// One step of a model, and the guard's word on it: what the model was told beforehand to refuse is
// what the guard refuses. `steps`, of the optimizer, counts the step if it is applied. `clip`:
// largest norm of the gradient; 0: none. Errors: kIo, kClosed.
[[nodiscard]] Result<LearnerStep> guarded_step(model::TrainableModel& model,
                                               std::span<const std::int32_t> tokens,
                                               double learning_rate, double clip, LossGuard& guard,
                                               std::uint64_t& steps,
                                               const model::SharedBatch& batch = {});

class Learner {
 public:
  // θ starts as `theta`. `settings`: of the model; its `sequences` are those of a pass. Errors:
  // those of Device::make_model.
  [[nodiscard]] static Result<std::unique_ptr<Learner>> make(std::shared_ptr<model::Device> device,
                                                             const model::ModelSettings& settings,
                                                             std::span<const float> theta);

  // One of a step's passes: whole sequences of context + 1, as many as of the others.
  void add_pass(std::span<const std::int32_t> tokens) {
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  }
  // The step over the passes since the last: θ and the optimizer move if the guard lets them.
  // Error: kIo.
  [[nodiscard]] Result<LearnerStep> finish_step(double learning_rate, double clip,
                                                LossGuard& guard);

  // The mean loss of each sequence, nats per token, at θ. Error: kIo.
  [[nodiscard]] Status losses(std::span<const std::int32_t> tokens, std::span<float> losses) {
    return model_->losses(tokens, losses);
  }

  // "theta", then all that the optimizer remembers, as a checkpoint keeps them; valid until the
  // next step. Error: kIo.
  [[nodiscard]] Result<std::vector<NamedState>> arrays();
  // What was written into the last arrays() counts from now on, after so many of the optimizer's
  // steps. Error: kIo.
  [[nodiscard]] Status arrays_changed(std::uint64_t optimizer_steps);
  [[nodiscard]] std::uint64_t optimizer_steps() const { return steps_; }
  // θ, valid until the next step. Error: kIo.
  [[nodiscard]] Result<std::span<const float>> theta();

  [[nodiscard]] double flops_per_token() const { return model::flops_per_token(model_->spec()); }
  [[nodiscard]] std::string compute_class() const { return model_->compute_class(); }

 private:
  Learner(std::shared_ptr<model::Device> device, std::unique_ptr<model::TrainableModel> model)
      : device_(std::move(device)), model_(std::move(model)) {}

  std::shared_ptr<model::Device> device_;  // outlives the model
  std::unique_ptr<model::TrainableModel> model_;
  std::uint64_t steps_ = 0;
  std::vector<std::int32_t> tokens_;      // of the step's passes so far
  std::vector<NamedState> arrays_;        // as last handed out
  std::vector<float> theta_;              // room for copies of what lies elsewhere
  std::vector<std::vector<float>> room_;  // for what the optimizer remembers
};

}  // namespace muster::trainer
