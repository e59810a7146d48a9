#include "trainer/run/learner.h"

#include <algorithm>

#include "trainer/run/guarded_step.h"

namespace muster::trainer {
namespace {

class HostLearner final : public Learner {
 public:
  HostLearner(std::unique_ptr<Optimizer> optimizer, Llama& engine, Team& team,
              std::vector<float> theta)
      : engine_(engine),
        team_(team),
        optimizer_(std::move(optimizer)),
        theta_(std::move(theta)),
        gradient_(theta_.size()) {}

  void add_pass(std::span<const std::int32_t> tokens, float share) override {
    if (passes_++ == 0) std::ranges::fill(gradient_, 0.0f);
    loss_ += engine_.add_gradient(theta_, tokens, share, gradient_);
  }
  Result<LearnerStep> finish_step(double learning_rate, double clip, LossGuard& guard) override {
    const double loss = std::exchange(loss_, 0) / std::exchange(passes_, 0);
    const GuardedStep taken =
        guarded_step(guard, *optimizer_, team_, theta_, gradient_, loss, learning_rate, clip);
    return LearnerStep{loss, taken.gradient_norm, taken.verdict};
  }
  Status losses(std::span<const std::int32_t> tokens, std::span<float> losses) override {
    engine_.losses(theta_, tokens, losses);
    return {};
  }
  Result<std::vector<NamedState>> arrays() override {
    auto arrays = optimizer_->state();
    arrays.insert(arrays.begin(), {"theta", theta_});
    return arrays;
  }
  Status arrays_changed(std::uint64_t optimizer_steps) override {
    optimizer_->set_steps(optimizer_steps);
    return {};
  }
  std::uint64_t optimizer_steps() const override { return optimizer_->steps(); }
  Result<std::span<const float>> theta() override { return std::span<const float>(theta_); }
  double flops_per_token() const override { return engine_.flops_per_token(); }
  std::string path() const override { return engine_.path(); }

 private:
  Llama& engine_;
  Team& team_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<float> theta_, gradient_;
  double loss_ = 0;  // sum over the passes of this step
  unsigned passes_ = 0;
};

}  // namespace

std::unique_ptr<Learner> make_host_learner(const OptimizerConfig& optimizer,
                                           const compression::Layout& layout, Llama& engine,
                                           Team& team, std::vector<float> theta) {
  return std::make_unique<HostLearner>(make_optimizer(optimizer, layout, team), engine, team,
                                       std::move(theta));
}

}  // namespace muster::trainer
