// An analytic stand-in for the language model: least squares with per-sequence targets.
//
// loss_s(θ) = ½ mean (θ − θ*)² + ½ Σ_{j ∈ S(s)} (θ_j − θ*_j − n_{s,j})² / |S(s)|, with θ*, S and n
// from the seed: training lowers it, more so on the sequences trained on. Cheap enough that whole
// networks run in a simulation; it says nothing about how well language models can be told apart.
// Thread safety: none.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "compression/error_feedback.h"
#include "protocol/inner_loop.h"
#include "protocol/loss_probe.h"
#include "protocol/params.h"
#include "state/tensor_groups.h"

namespace muster::sim {

class AnalyticModel {
 public:
  AnalyticModel(std::uint64_t seed, std::uint64_t parameters);
  [[nodiscard]] double loss(std::span<const float> theta, std::uint64_t sequence) const;
  void add_gradient(std::span<const float> theta, std::uint64_t sequence, double scale,
                    std::span<float> gradient) const;

 private:
  struct Target {
    std::uint64_t index;
    float value;
  };
  [[nodiscard]] std::vector<Target> targets(std::uint64_t sequence) const;
  std::uint64_t seed_;
  std::vector<float> optimum_;
};

class AnalyticInnerLoop final : public protocol::InnerLoop {
 public:
  AnalyticInnerLoop(const protocol::ProtocolParams& params, const AnalyticModel& model,
                    std::vector<float> theta);
  Result<protocol::TrainReport> train(const protocol::TrainTask& task,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<compression::Payload> encode(const compression::PayloadFormat& format) override;
  void settle(protocol::Settlement settlement) override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override { return theta_; }
  Status set_parameters(std::span<const float> parameters) override;
  Status save(const std::filesystem::path&, std::uint64_t tag) const override;
  Result<std::uint64_t> load(const std::filesystem::path&) override;

  // The simulated disk takes the place of the file system.
  [[nodiscard]] Bytes snapshot(std::uint64_t tag) const;
  [[nodiscard]] std::uint64_t restore(ByteSpan bytes);
  // A flipped bit, for the tests that it must not go unnoticed.
  void flip_bit();

 private:
  const protocol::ProtocolParams& params_;
  const AnalyticModel& model_;
  compression::Layout layout_;
  std::vector<float> theta_;
  std::vector<float> first_, second_;  // error feedback and Δ, which take turns
  mutable compression::ErrorFeedback feedback_;
};

class AnalyticLossProbe final : public protocol::LossProbe {
 public:
  AnalyticLossProbe(const protocol::ProtocolParams& params, const AnalyticModel& model,
                    std::vector<float> theta);
  Status compute_gradient(std::span<const std::uint64_t> sequences) override;
  Result<double> gradient_cosine(const compression::SparseUpdate& update) override;
  Result<std::vector<float>> losses(protocol::ProbePoint point,
                                    const compression::SparseUpdate* update, float scale,
                                    std::span<const std::uint64_t> sequences) override;
  // The model has no positions: every window of a sequence has the gradient of all of it.
  Result<std::vector<double>> products(
      std::span<const protocol::Window> windows,
      std::span<const compression::SparseUpdate* const> updates) override;
  Result<double> held_out_loss() override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override { return theta_; }
  Status set_parameters(std::span<const float> parameters) override;
  std::string platform_class() const override { return "analytic"; }

 private:
  const protocol::ProtocolParams& params_;
  const AnalyticModel& model_;
  std::vector<float> theta_;
  std::vector<float> previous_;
  std::vector<float> gradient_;
  state::TensorGroups groups_;
};

}  // namespace muster::sim
