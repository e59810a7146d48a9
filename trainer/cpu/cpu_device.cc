#include "trainer/cpu/cpu_device.h"

#include <cmath>

#include "model/host_array.h"
#include "state/outer_step.h"
#include "trainer/cpu/cpu_model.h"

namespace muster::trainer {
namespace {

std::span<float> values_of(model::FloatArray& array) { return {array.device_data(), array.size()}; }

class CpuErrorFeedback final : public model::ErrorFeedback {
 public:
  CpuErrorFeedback(const compression::Layout& layout, unsigned threads)
      : layout_(layout),
        threads_(threads),
        first_(layout.parameters()),
        second_(layout.parameters()),
        feedback_(first_.values(), second_.values()) {}

  model::FloatArray& delta() override { return array_at(feedback_.delta().data()); }
  Result<model::FloatArray*> residual() override { return &array_at(feedback_.residual().data()); }
  Result<compression::Payload> compress(const compression::PayloadFormat& format) override {
    return feedback_.compress(layout_, format, threads_);
  }
  Status settle_delivered(float beta) override {
    feedback_.settle_delivered(beta);
    return {};
  }
  Status settle_kept(float beta) override {
    feedback_.settle_kept(beta);
    return {};
  }
  Status settle_missed(float beta) override {
    feedback_.settle_missed(beta);
    return {};
  }
  bool is_pending() const override { return feedback_.is_pending(); }
  Result<compression::ErrorFeedback::State> state() const override { return feedback_.state(); }
  Status restore(const compression::ErrorFeedback::State& state) override {
    feedback_.restore(state);
    return {};
  }

 private:
  model::HostArray& array_at(const float* values) {
    return values == first_.device_data() ? first_ : second_;
  }

  compression::Layout layout_;
  unsigned threads_;
  model::HostArray first_, second_;  // e and Δ, which take turns
  compression::ErrorFeedback feedback_;
};

class CpuDisplacement final : public model::Displacement {
 public:
  CpuDisplacement(std::span<float> array, state::UndoLog undo)
      : array_(array), undo_(std::move(undo)) {}
  Status swap() override {
    for (std::size_t i = 0; i < undo_.indices.size(); ++i)
      std::swap(array_[undo_.indices[i]], undo_.values[i]);
    return {};
  }

 private:
  std::span<float> array_;
  state::UndoLog undo_;
};

class CpuProducts final : public model::Products {
 public:
  CpuProducts(std::span<const compression::SparseUpdate* const> updates,
              const state::TensorGroups& groups)
      : updates_(updates.begin(), updates.end()), groups_(groups) {}
  Result<std::vector<double>> multiply(model::FloatArray& array) override {
    std::vector<double> products(updates_.size() * groups_.count);
    std::span<double> left(products);
    for (const compression::SparseUpdate* update : updates_) {
      state::multiply_by_group(groups_, *update, values_of(array), left.first(groups_.count));
      left = left.subspan(groups_.count);
    }
    return products;
  }

 private:
  std::vector<const compression::SparseUpdate*> updates_;
  state::TensorGroups groups_;
};

}  // namespace

Result<std::unique_ptr<model::FloatArray>> CpuDevice::make_array(std::uint64_t count) {
  return std::unique_ptr<model::FloatArray>(std::make_unique<model::HostArray>(count));
}

Result<std::unique_ptr<model::ErrorFeedback>> CpuDevice::make_error_feedback(
    const compression::Layout& layout, unsigned threads) {
  return std::unique_ptr<model::ErrorFeedback>(std::make_unique<CpuErrorFeedback>(layout, threads));
}

Result<std::unique_ptr<model::TrainableModel>> CpuDevice::make_model(
    const model::ModelSettings& settings) {
  ComputeOptions options = options_;
  options.compute = settings.compute;
  MUSTER_TRY(auto llama, Llama::make(settings.spec, options, team_));
  return std::unique_ptr<model::TrainableModel>(
      std::make_unique<CpuModel>(settings, std::move(llama), team_));
}

Status CpuDevice::copy(model::FloatArray& from, model::FloatArray& to) {
  return to.write(values_of(from));
}

Result<bool> CpuDevice::subtract(model::FloatArray& a, model::FloatArray& b,
                                 model::FloatArray& difference) {
  const auto x = values_of(a), y = values_of(b), to = values_of(difference);
  MUSTER_CHECK(x.size() == y.size() && x.size() == to.size(), "arrays of different sizes");
  bool is_finite = true;
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] = x[i] - y[i];
    if (!std::isfinite(to[i])) is_finite = false;
  }
  return is_finite;
}

Status CpuDevice::gather(model::FloatArray& array, std::span<const std::uint64_t> indices,
                         std::span<float> values) {
  const auto from = values_of(array);
  for (std::size_t i = 0; i < indices.size(); ++i) values[i] = from[indices[i]];
  return {};
}

Result<std::unique_ptr<model::Displacement>> CpuDevice::displace(
    model::FloatArray& array, const compression::SparseUpdate& update, float rate) {
  const auto values = values_of(array);
  return std::unique_ptr<model::Displacement>(
      std::make_unique<CpuDisplacement>(values, state::outer_step_with_undo(values, update, rate)));
}

Result<std::unique_ptr<model::Products>> CpuDevice::make_products(
    std::span<const compression::SparseUpdate* const> updates, const state::TensorGroups& groups) {
  return std::unique_ptr<model::Products>(std::make_unique<CpuProducts>(updates, groups));
}

}  // namespace muster::trainer
