// What every device must do: the trainer's small model, in a shape that cards take, on each of the
// devices there are: this machine's CPU, and a card whose thread blocks the host plays or, with
// MUSTER_FIRST_CARD, the first card of this machine alone; then tests skip, with the reason, where
// there is none.
#pragma once

#include "tests/cuda/host_card.h"
#include "tests/trainer/trainer_fixture.h"
#include "trainer/cpu/cpu_device.h"
#include "trainer/data/data_set.h"

namespace muster::trainer {

enum class TestDevice { kCpu, kCard };

inline Result<std::shared_ptr<gpu::Card>> open_test_card() {
#if defined(MUSTER_FIRST_CARD)
  MUSTER_TRY(const auto cards, gpu::load_cards(std::filesystem::path(MUSTER_BINARY_DIR) / "bin"));
  MUSTER_TRY(auto card, cards->open(0));
  return std::shared_ptr<gpu::Card>(std::move(card));
#else
  return std::shared_ptr<gpu::Card>(std::make_shared<gpu::HostCard>());
#endif
}

class DeviceFixture : public TrainerTest {
 protected:
  DeviceFixture() {
    config_.model.heads = config_.model.kv_heads = 1;
    theta_ = make_theta();
  }
  [[nodiscard]] DataSet data(const std::filesystem::path& path,
                             const char* split = kTrainSplit) const {
    return DataSet::open(path, config_.model.context, config_.model.vocab, split).value();
  }
};

class DeviceTest : public DeviceFixture, public ::testing::WithParamInterface<TestDevice> {
 protected:
  void SetUp() override {
    if (GetParam() == TestDevice::kCpu) {
      device_ = std::make_shared<CpuDevice>(config_.compute, config_.threads);
    } else {
      auto opened = open_test_card();
      if (!opened) GTEST_SKIP() << opened.error().message;
      device_ = *opened;
    }
    prepare();
  }
  virtual void prepare() {}
  [[nodiscard]] std::shared_ptr<model::Device> device() const { return device_; }

 private:
  std::shared_ptr<model::Device> device_;
};

inline auto test_devices() {
#if defined(MUSTER_FIRST_CARD)
  return ::testing::Values(TestDevice::kCard);
#else
  return ::testing::Values(TestDevice::kCpu, TestDevice::kCard);
#endif
}
inline std::string device_name(const ::testing::TestParamInfo<TestDevice>& info) {
  return info.param == TestDevice::kCpu ? "cpu" : "card";
}

}  // namespace muster::trainer
