// CardInnerLoop: a miner's training on a graphics card. See protocol/inner_loop.h for the contract.
//
// θ, its working copy, gradient, moments, error feedback and Δ lie on the card, and nothing dense leaves it but θ, once
// after each change, for who hashes it. What is selected of Δ is coded by the host.
#pragma once

#include "protocol/inner_loop.h"
#include "trainer/card/device.h"
#include "trainer/data/data_set.h"
#include "trainer/trainer.h"

namespace muster::trainer {

class CardInnerLoop final : public protocol::InnerLoop {
 public:
  // Errors: those of make_card_model.
  [[nodiscard]] static Result<std::unique_ptr<protocol::InnerLoop>> make(const TrainerConfig& config, DataSet data,
                                                                         std::shared_ptr<gpu::Card> card,
                                                                         std::span<const float> parameters);

  Result<protocol::TrainReport> train(const protocol::TrainTask& task, const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<compression::Payload> encode(const compression::PayloadFormat& format) override;
  // What goes wrong on the card is told by the next call that can.
  void settle(protocol::Settlement settlement) override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override { return host_theta_; }
  Status set_parameters(std::span<const float> parameters) override;
  Status save(const std::filesystem::path& path, std::uint64_t tag) const override;
  Result<std::uint64_t> load(const std::filesystem::path& path) override;

 private:
  CardInnerLoop(const TrainerConfig& config, DataSet data, std::shared_ptr<gpu::Card> card)
      : config_(config), layout_(state::layout_of(config.model)), data_(std::move(data)), card_(std::move(card)) {}
  // The host's copy of θ.
  Status refresh() { return theta_->read(host_theta_); }

  TrainerConfig config_;
  compression::Layout layout_;
  DataSet data_;
  std::shared_ptr<gpu::Card> card_;  // outlives what it made
  std::unique_ptr<gpu::Model> model_;  // its parameters: θ plus this round's inner steps
  std::unique_ptr<gpu::FloatArray> theta_;
  std::unique_ptr<gpu::ErrorFeedback> feedback_;
  std::vector<float> host_theta_;
  std::vector<std::int32_t> tokens_;  // of one batch
  std::uint64_t optimizer_steps_ = 0;
  bool has_delta_ = false;            // Δ is there and not yet encoded
  Status fault_;                      // of the last settle()
};

}  // namespace muster::trainer
