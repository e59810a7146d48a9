#include "tests/trainer/device/device_fixture.h"
#include "trainer/device.h"

namespace muster::trainer {
namespace {

class OpenDeviceTest : public DeviceFixture {
 protected:
  Result<OpenDevice> open(DeviceChoice choice, const std::filesystem::path& libraries = {}) {
    ComputeOptions options;
    options.libraries = libraries;
    return open_device(choice, config_.model, options, 1);
  }
};

TEST_F(OpenDeviceTest, IsTheCpuWhereItIsAskedForAndWhereThereIsNoCard) {
  for (const auto& opened :
       {open(DeviceChoice::kCpu).value(), open(DeviceChoice::kAuto, "/nonexistent").value()}) {
    EXPECT_NE(opened.device, nullptr);
    EXPECT_EQ(opened.card, nullptr);
  }
}

TEST_F(OpenDeviceTest, SaysInOneSentenceWhyThereIsNoCard) {
  const auto opened = open(DeviceChoice::kCuda, "/nonexistent");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::kNotFound);
  EXPECT_TRUE(opened.error().message.starts_with("--device cuda: ")) << opened.error().message;
  EXPECT_NE(opened.error().message.find("muster doctor"), std::string::npos)
      << opened.error().message;
}

TEST_F(OpenDeviceTest, RefusesWhatACardDoesNotTake) {
  config_.model.heads = config_.model.kv_heads = 2;
  EXPECT_NE(open(DeviceChoice::kCuda).error().message.find("d_model / heads = 16"),
            std::string::npos);
  EXPECT_EQ(open(DeviceChoice::kAuto).value().card, nullptr);
}

}  // namespace
}  // namespace muster::trainer
