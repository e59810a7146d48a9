// Training: a model, its optimizer and its place in the data; one step at a time.
//
// A step: `accumulate` passes over `batch` sequences each, the norm of the gradient, the guard's verdict, clipping,
// the optimizer. Memory: θ, gradient and the optimizer's state, 16 bytes per parameter with AdamW.
// Thread safety: one thread at a time; engine, data and team must outlive it. Determinism: that of engine and
// optimizer; a training that goes on from a checkpoint takes the same steps as one that was never cut off.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/team.h"
#include "trainer/data/batch_stream.h"
#include "trainer/data/data_set.h"
#include "trainer/llama/llama.h"
#include "trainer/run/data_order.h"
#include "trainer/run/training_config.h"

namespace muster::trainer {

struct StepReport {
  std::uint64_t step = 0;      // steps behind it, this one counted
  std::uint64_t tokens = 0;    // trained on so far
  double loss = 0;             // nats per token, before the step
  double learning_rate = 0;
  double gradient_norm = 0;    // before clipping
  Verdict verdict = Verdict::kApply;
};

class Training {
 public:
  // REQUIRES: validate(config); θ of config.model.
  Training(const TrainingConfig& config, Llama& engine, const DataSet& data, Team& team, std::vector<float> theta);

  // Errors: those of the data; kNonFinite (too many steps in a row were skipped).
  [[nodiscard]] Result<StepReport> step();

  [[nodiscard]] std::uint64_t steps_done() const { return step_; }
  [[nodiscard]] std::uint64_t skipped() const { return guard_.state().skipped; }
  [[nodiscard]] std::span<const float> theta() const { return theta_; }
  [[nodiscard]] const TrainingConfig& config() const { return config_; }

  // What a checkpoint holds; settings are the caller's.
  [[nodiscard]] CheckpointHead head() const;
  [[nodiscard]] std::vector<NamedState> arrays();
  // Goes on where the file was written. Errors: kInvalidArgument (other arrays).
  [[nodiscard]] Status restore(const CheckpointFile& file);

 private:
  TrainingConfig config_;
  Llama& engine_;
  const DataSet& data_;
  Team& team_;
  std::unique_ptr<Optimizer> optimizer_;
  LossGuard guard_;
  std::vector<float> theta_, gradient_;
  std::uint64_t step_ = 0, sequences_ = 0;
  std::unique_ptr<BatchStream> batches_;  // from sequences_ on; made by the first step
};

}  // namespace muster::trainer
