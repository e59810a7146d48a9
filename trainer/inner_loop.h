// LibtorchInnerLoop: a miner's training on LibTorch. See protocol/inner_loop.h for the contract.
#pragma once

#include "compression/error_feedback.h"
#include "protocol/inner_loop.h"
#include "trainer/data.h"
#include "trainer/optimizer.h"

namespace muster::trainer {

class LibtorchInnerLoop final : public protocol::InnerLoop {
 public:
  LibtorchInnerLoop(const TrainerConfig& config, Data data, std::span<const float> parameters);

  Result<protocol::TrainReport> train(const protocol::TrainTask& task,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<compression::Payload> encode(const compression::PayloadFormat& format) override;
  void settle(protocol::Settlement settlement) override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override;
  Status set_parameters(std::span<const float> parameters) override;
  Status save(const std::filesystem::path& path, std::uint64_t tag) const override;
  Result<std::uint64_t> load(const std::filesystem::path& path) override;

 private:
  TrainerConfig config_;
  compression::Layout layout_;
  Model model_;
  Data data_;
  at::ScalarType type_;
  at::Tensor theta_;
  AdamW optimizer_;
  std::vector<float> first_, second_;    // error feedback and Δ, which take turns
  mutable compression::ErrorFeedback feedback_;  // saving multiplies in what is owed
  bool trained_ = false;                 // Δ is there and not yet encoded
};

}  // namespace muster::trainer
