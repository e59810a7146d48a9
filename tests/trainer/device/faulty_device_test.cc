#include "tests/trainer/device/device_fixture.h"
#include "trainer/loss_probe.h"

namespace muster::trainer {
namespace {

// This machine's CPU, but some of its calls fail.
class FaultyDevice final : public CpuDevice {
 public:
  FaultyDevice() : CpuDevice({.compute = Compute::kFloat32}, 1) {}

  Result<std::unique_ptr<model::Displacement>> displace(model::FloatArray& array,
                                                        const compression::SparseUpdate& update,
                                                        float rate) override {
    if (fails_to_displace) return Error{Errc::kTooLarge, "no memory for a displacement"};
    MUSTER_TRY(auto displacement, CpuDevice::displace(array, update, rate));
    return std::unique_ptr<model::Displacement>(
        std::make_unique<Faulty>(std::move(displacement), failing_swaps));
  }
  Status gather(model::FloatArray& array, std::span<const std::uint64_t> indices,
                std::span<float> values) override {
    if (fails_to_gather) return Error{Errc::kIo, "the device is gone"};
    return CpuDevice::gather(array, indices, values);
  }

  bool fails_to_displace = false, fails_to_gather = false;
  int failing_swaps = 0;  // so many of the next ones

 private:
  class Faulty final : public model::Displacement {
   public:
    Faulty(std::unique_ptr<model::Displacement> real, int& failing)
        : real_(std::move(real)), failing_(failing) {}
    Status swap() override {
      if (failing_ == 0) return real_->swap();
      --failing_;
      return Error{Errc::kIo, "the device is gone"};
    }

   private:
    std::unique_ptr<model::Displacement> real_;
    int& failing_;
  };
};

class FaultyDeviceTest : public DeviceFixture {
 protected:
  std::shared_ptr<FaultyDevice> device_ = std::make_shared<FaultyDevice>();
  std::unique_ptr<protocol::LossProbe> probe_ =
      DeviceLossProbe::make(config_, data(config_.train_data),
                            data(config_.held_out_data, kHeldOutSplit), device_, theta_)
          .value();
  std::vector<std::uint64_t> sequences_{1, 5};
  compression::SparseUpdate update_{{3, 700}, {0.5f, -0.25f}, {2}};

  std::vector<float> losses() {
    return probe_->losses(protocol::ProbePoint::kCurrent, nullptr, 0, sequences_).value();
  }
};

TEST_F(FaultyDeviceTest, AnUpdateThatCannotBeTriedLeavesThetaWhereItWas) {
  ASSERT_TRUE(probe_->apply(update_));
  const std::vector<float> before(probe_->parameters().begin(), probe_->parameters().end());
  const auto losses_before = losses();
  device_->fails_to_displace = true;
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, &update_, 1, sequences_).error().code,
            Errc::kTooLarge);
  device_->fails_to_displace = false;
  EXPECT_TRUE(std::ranges::equal(probe_->parameters(), before));
  EXPECT_EQ(losses(), losses_before);
}

TEST_F(FaultyDeviceTest, DataThatCannotBeReadLeavesThetaWhereItWas) {
  ASSERT_TRUE(probe_->apply(update_));
  const auto before = losses();
  const std::vector<std::uint64_t> missing{1'000'000};
  EXPECT_FALSE(probe_->losses(protocol::ProbePoint::kPrevious, &update_, 1, missing).has_value());
  EXPECT_EQ(losses(), before);
}

TEST_F(FaultyDeviceTest, AProbeThatLostThetaSaysSoUntilItGetsNewParameters) {
  ASSERT_TRUE(probe_->apply(update_));
  device_->failing_swaps = 2;
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).error().code,
            Errc::kIo);
  device_->failing_swaps = 0;
  EXPECT_EQ(probe_->held_out_loss().error().code, Errc::kIo);
  EXPECT_EQ(probe_->apply(update_).error().code, Errc::kIo);
  ASSERT_TRUE(probe_->set_parameters(theta_));
  EXPECT_TRUE(probe_->held_out_loss().has_value());
}

TEST_F(FaultyDeviceTest, ASwapThatFailsOnceDoesNotLeaveThetaDisplacedUnseen) {
  ASSERT_TRUE(probe_->apply(update_));
  device_->failing_swaps = 1;
  EXPECT_EQ(probe_->losses(protocol::ProbePoint::kPrevious, nullptr, 0, sequences_).error().code,
            Errc::kIo);
  EXPECT_EQ(probe_->held_out_loss().error().code, Errc::kIo);
}

TEST_F(FaultyDeviceTest, ACosineThatCannotBeMeasuredIsAnError) {
  ASSERT_TRUE(probe_->compute_gradient(sequences_));
  device_->fails_to_gather = true;
  EXPECT_EQ(probe_->gradient_cosine(update_).error().code, Errc::kIo);
}

}  // namespace
}  // namespace muster::trainer
