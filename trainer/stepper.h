// Stepper: one inner step: gradient of a batch, clipping, the optimizer's move.
//
// Thread safety: one thread at a time; it has a team of its own.
#pragma once

#include "trainer/optim/optimizer.h"
#include "trainer/run/guarded_step.h"
#include "trainer/trainer.h"

namespace muster::trainer {

class Stepper {
 public:
  // Errors: those of Llama::make.
  [[nodiscard]] static Result<Stepper> make(const TrainerConfig& config);

  struct Outcome {
    double loss = 0;  // mean nats per token, before the step
    GuardedStep step;
  };
  // tokens: whole sequences of context + 1. θ moves if the guard lets it.
  Outcome step(std::span<float> theta, std::span<const std::int32_t> tokens, double learning_rate,
               LossGuard& guard);

  [[nodiscard]] Optimizer& optimizer() { return *optimizer_; }
  [[nodiscard]] const Llama& model() const { return *llama_; }

 private:
  Stepper(std::unique_ptr<Team> team, std::unique_ptr<Llama> llama,
          std::unique_ptr<Optimizer> optimizer, std::size_t parameters, double clip)
      : team_(std::move(team)),
        llama_(std::move(llama)),
        optimizer_(std::move(optimizer)),
        gradient_(parameters),
        clip_(clip) {}

  std::unique_ptr<Team> team_;
  std::unique_ptr<Llama> llama_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<float> gradient_;
  double clip_;
};

}  // namespace muster::trainer
