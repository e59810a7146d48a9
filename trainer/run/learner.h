// Learner: θ with its gradient and its optimizer, wherever they are: what a training takes its
// steps with.
//
// Thread safety: one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/team.h"
#include "trainer/llama/llama.h"
#include "trainer/optim/optimizer.h"
#include "trainer/run/loss_guard.h"

namespace muster::trainer {

struct LearnerStep {
  double loss = 0;           // mean nats per token over the step's passes, before the step
  double gradient_norm = 0;  // before clipping
  Verdict verdict = Verdict::kApply;
};

class Learner {
 public:
  virtual ~Learner() = default;

  // One of a step's passes: whole sequences of context + 1, `share` of the step's mean loss.
  virtual void add_pass(std::span<const std::int32_t> tokens, float share) = 0;
  // The step over the passes since the last: θ and the optimizer move if the guard lets them.
  // `clip`: largest norm of the gradient; 0: none. Error: kIo.
  [[nodiscard]] virtual Result<LearnerStep> finish_step(double learning_rate, double clip,
                                                        LossGuard& guard) = 0;

  // The mean loss of each sequence, nats per token, at θ. Error: kIo.
  [[nodiscard]] virtual Status losses(std::span<const std::int32_t> tokens,
                                      std::span<float> losses) = 0;

  // "theta", then all that the optimizer remembers, as a checkpoint keeps them; valid until the
  // next step. Error: kIo.
  [[nodiscard]] virtual Result<std::vector<NamedState>> arrays() = 0;
  // What was written into the last arrays() counts from now on, after so many of the optimizer's
  // steps. Error: kIo.
  [[nodiscard]] virtual Status arrays_changed(std::uint64_t optimizer_steps) = 0;
  [[nodiscard]] virtual std::uint64_t optimizer_steps() const = 0;
  // θ, valid until the next step. Error: kIo.
  [[nodiscard]] virtual Result<std::span<const float>> theta() = 0;

  [[nodiscard]] virtual double flops_per_token() const = 0;  // of a forward and backward pass
  // Names what computes: results are bit-equal within one.
  [[nodiscard]] virtual std::string path() const = 0;
};

// On this machine's CPU. Engine and team must outlive it.
[[nodiscard]] std::unique_ptr<Learner> make_host_learner(const OptimizerConfig& optimizer,
                                                         const compression::Layout& layout,
                                                         Llama& engine, Team& team,
                                                         std::vector<float> theta);

}  // namespace muster::trainer
