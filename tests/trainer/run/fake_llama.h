// A model that is a parabola: its loss is half the squared distance from θ to a point that depends
// on the tokens. For tests of what is around a model.
#pragma once

#include <cmath>
#include <functional>
#include <limits>

#include "tests/temporary_directory.h"
#include "trainer/cpu/cpu_device.h"
#include "trainer/cpu/cpu_model.h"
#include "trainer/data/data_set.h"
#include "trainer/data/token_file.h"
#include "trainer/llama/llama.h"

namespace muster::trainer {

inline const state::ModelSpec kFakeModel{.d_model = 8,
                                         .layers = 1,
                                         .heads = 2,
                                         .kv_heads = 1,
                                         .d_ff = 8,
                                         .context = 8,
                                         .vocab = 256,
                                         .tied = true};

class FakeLlama final : public Llama {
 public:
  double add_gradient(ModelParts& parts, std::span<const std::int32_t> tokens,
                      float scale) override {
    ++passes;
    const float target = target_of(tokens);
    double loss = 0;
    for (std::size_t part = 0; part < part_count(shape_); ++part) {
      const auto theta = parts.parameters(part);
      const auto gradient = parts.gradient(part);
      for (std::size_t i = 0; i < theta.size(); ++i) {
        gradient[i] += scale * (theta[i] - target);
        loss += 0.5 * std::pow(static_cast<double>(theta[i] - target), 2);
      }
    }
    loss /= static_cast<double>(shape_.parameters);
    return spoil ? spoil(passes, loss, parts.gradient(0)) : loss;
  }
  void add_window_gradient(std::span<const float> theta, std::span<const std::int32_t> tokens,
                           std::size_t first, std::size_t end, std::span<float> gradient) override {
    const float target = target_of(tokens.subspan(first, end - first));
    for (std::size_t i = 0; i < theta.size(); ++i) gradient[i] += theta[i] - target;
  }
  void losses(std::span<const float> theta, std::span<const std::int32_t> tokens,
              std::span<float> losses) override {
    const std::size_t row = tokens.size() / losses.size();
    for (std::size_t i = 0; i < losses.size(); ++i)
      losses[i] = std::abs(theta[0] - target_of(tokens.subspan(i * row, row)));
  }
  std::vector<float> logits(std::span<const float>, std::span<const std::int32_t>) override {
    return {};
  }
  const Shape& shape() const override { return shape_; }
  bool stores_bf16() const override { return false; }
  std::string path() const override { return "fake/fp32"; }

  static float target_of(std::span<const std::int32_t> tokens) {
    float sum = 0;
    for (const std::int32_t token : tokens) sum += static_cast<float>(token);
    return sum / static_cast<float>(tokens.size()) / 256;
  }

  std::uint64_t passes = 0;
  // Given pass (from 1), loss and the embedding's gradient: the loss to report.
  std::function<double(std::uint64_t, double, std::span<float>)> spoil;

 private:
  Shape shape_{kFakeModel};
};

// This machine's CPU, with that model.
class FakeDevice final : public CpuDevice {
 public:
  explicit FakeDevice(std::shared_ptr<FakeLlama> llama)
      : CpuDevice({}, 1), llama_(std::move(llama)) {}
  Result<std::unique_ptr<model::TrainableModel>> make_model(
      const model::ModelSettings& settings) override {
    return std::unique_ptr<model::TrainableModel>(
        std::make_unique<CpuModel>(settings, llama_, team_));
  }

 private:
  std::shared_ptr<FakeLlama> llama_;
  Team team_{1};
};

// `sequences` sequences of context 8 whose tokens are all their own number, modulo 256.
inline DataSet numbered_data(const muster::testing::TemporaryDirectory& directory,
                             std::uint32_t sequences) {
  Bytes tokens;
  for (std::uint32_t i = 0; i < sequences; ++i)
    tokens.insert(tokens.end(), 9, static_cast<std::uint8_t>(i));
  MUSTER_CHECK(write_byte_tokens(directory / "numbered.bin", tokens).has_value(), "data");
  return DataSet::open(directory / "numbered.bin", 8, 256).value();
}

}  // namespace muster::trainer
