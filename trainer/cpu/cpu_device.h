// CpuDevice: this machine's CPU as a Device, with a team of threads for all that it makes.
//
// Thread safety: as device.h.
#pragma once

#include <memory>

#include "base/team.h"
#include "model/device.h"
#include "trainer/llama/llama.h"

namespace muster::trainer {

class CpuDevice : public model::Device {
 public:
  // `options`: how models are computed, but for the number format, which is each model's.
  CpuDevice(ComputeOptions options, unsigned threads)
      : options_(std::move(options)), team_(threads) {}

  Result<std::unique_ptr<model::FloatArray>> make_array(std::uint64_t count) override;
  Result<std::unique_ptr<model::ErrorFeedback>> make_error_feedback(
      const compression::Layout& layout, unsigned threads) override;
  Result<std::unique_ptr<model::TrainableModel>> make_model(
      const model::ModelSettings& settings) override;
  std::uint32_t sequences_measured_at_once(const state::ModelSpec&) const override { return 32; }

  Status copy(model::FloatArray& from, model::FloatArray& to) override;
  Result<bool> subtract(model::FloatArray& a, model::FloatArray& b,
                        model::FloatArray& difference) override;
  Status gather(model::FloatArray& array, std::span<const std::uint64_t> indices,
                std::span<float> values) override;
  Result<std::unique_ptr<model::Displacement>> displace(model::FloatArray& array,
                                                        const compression::SparseUpdate& update,
                                                        float rate) override;
  Result<std::unique_ptr<model::Products>> make_products(
      std::span<const compression::SparseUpdate* const> updates,
      const state::TensorGroups& groups) override;

 private:
  ComputeOptions options_;
  Team team_;
};

}  // namespace muster::trainer
