#include "trainer/card/device.h"

#include "tests/trainer/card/card_fixture.h"

namespace muster::trainer {
namespace {

class DeviceTest : public CardTrainerTest {};

TEST_F(DeviceTest, IsNoCardForTheCpuAndWhereThereIsNone) {
  const CardTask task{.model = config_.model, .optimizer = {}};
  EXPECT_EQ(open_device(Device::kCpu, task).value(), nullptr);
  EXPECT_EQ(open_device(Device::kAuto, task, "/nonexistent").value(), nullptr);
}

TEST_F(DeviceTest, SaysInOneSentenceWhyThereIsNoCard) {
  const auto card =
      open_device(Device::kCuda, {.model = config_.model, .optimizer = {}}, "/nonexistent");
  ASSERT_FALSE(card.has_value());
  EXPECT_EQ(card.error().code, Errc::kNotFound);
  EXPECT_TRUE(card.error().message.starts_with("--device cuda: ")) << card.error().message;
  EXPECT_NE(card.error().message.find("muster doctor"), std::string::npos) << card.error().message;
}

TEST_F(DeviceTest, RefusesWhatACardDoesNotTake) {
  CardTask task{.model = config_.model, .optimizer = {}};
  task.model.heads = task.model.kv_heads = 2;
  EXPECT_NE(open_device(Device::kCuda, task).error().message.find("d_model / heads = 16"),
            std::string::npos);
  EXPECT_EQ(open_device(Device::kAuto, task).value(), nullptr);
}

}  // namespace
}  // namespace muster::trainer
