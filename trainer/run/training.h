// Training: a model, its optimizer and its place in the data; one step at a time.
//
// A step: `accumulate` passes over `batch` sequences each, the norm of the gradient, the guard's
// verdict, clipping, the optimizer. Memory: θ, gradient and the optimizer's state, 16 bytes per
// parameter with AdamW. Thread safety: one thread at a time; the data must outlive it.
// Determinism: that of the model; a training that goes on from a checkpoint takes the
// same steps as one that was never cut off.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "trainer/data/batch_stream.h"
#include "trainer/data/data_set.h"
#include "trainer/run/data_order.h"
#include "trainer/run/learner.h"
#include "trainer/run/training_config.h"

namespace muster::trainer {

struct StepReport {
  std::uint64_t step = 0;    // steps behind it, this one counted
  std::uint64_t tokens = 0;  // trained on so far
  double loss = 0;           // nats per token, before the step
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  Verdict verdict = Verdict::kApply;
};

class Training {
 public:
  // REQUIRES: validate(config); a learner of config.model with its optimizer.
  Training(const TrainingConfig& config, std::unique_ptr<Learner> learner, const DataSet& data);

  // Errors: those of the data; kIo; kNonFinite (too many steps in a row were skipped).
  [[nodiscard]] Result<StepReport> step();

  [[nodiscard]] std::uint64_t steps_done() const { return step_; }
  [[nodiscard]] std::uint64_t skipped() const { return guard_.state().skipped; }
  // Valid until the next step. Error: kIo.
  [[nodiscard]] Result<std::span<const float>> theta() { return learner_->theta(); }
  [[nodiscard]] Learner& learner() { return *learner_; }
  [[nodiscard]] const TrainingConfig& config() const { return config_; }

  // What a checkpoint holds; settings are the caller's.
  [[nodiscard]] CheckpointHead head() const;
  [[nodiscard]] Result<std::vector<NamedState>> arrays() { return learner_->arrays(); }
  // Goes on where the file was written. Errors: kInvalidArgument (other arrays), kIo.
  [[nodiscard]] Status restore(const CheckpointFile& file);

 private:
  TrainingConfig config_;
  std::unique_ptr<Learner> learner_;
  const DataSet& data_;
  LossGuard guard_;
  std::uint64_t step_ = 0, sequences_ = 0;
  std::unique_ptr<BatchStream> batches_;  // from sequences_ on; made by the first step
};

}  // namespace muster::trainer
