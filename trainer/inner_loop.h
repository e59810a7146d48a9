// LlamaInnerLoop: a miner's training. See protocol/inner_loop.h for the contract.
//
// A step whose loss or gradient is not finite is skipped; too many of them in a row end the round.
#pragma once

#include "compression/error_feedback.h"
#include "protocol/inner_loop.h"
#include "trainer/data/data_set.h"
#include "trainer/stepper.h"

namespace muster::trainer {

class LlamaInnerLoop final : public protocol::InnerLoop {
 public:
  LlamaInnerLoop(const TrainerConfig& config, DataSet data, Stepper stepper, std::span<const float> parameters);

  Result<protocol::TrainReport> train(const protocol::TrainTask& task, const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<compression::Payload> encode(const compression::PayloadFormat& format) override;
  void settle(protocol::Settlement settlement) override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override { return theta_; }
  Status set_parameters(std::span<const float> parameters) override;
  Status save(const std::filesystem::path& path, std::uint64_t tag) const override;
  Result<std::uint64_t> load(const std::filesystem::path& path) override;

 private:
  TrainerConfig config_;
  compression::Layout layout_;
  DataSet data_;
  mutable Stepper stepper_;              // its optimizer hands out its memory to save
  std::vector<float> theta_, trained_;   // trained: θ plus this round's inner steps
  std::vector<std::int32_t> tokens_;     // of one batch
  std::vector<float> first_, second_;    // error feedback and Δ, which take turns
  mutable compression::ErrorFeedback feedback_;  // saving multiplies in what is owed
  bool has_delta_ = false;               // Δ is there and not yet encoded
};

}  // namespace muster::trainer
