#include "protocol/params.h"

#include <gtest/gtest.h>

#include <functional>

#include "wire/codec.h"

namespace muster::protocol {
namespace {

ProtocolParams example() {
  ProtocolParams params;
  params.name = "test";
  params.sequences = 100'000;
  params.compression.schedule = {{14, 1024}, {5, 512}, {5, 256}};
  return params;
}

TEST(Params, FollowTheDensitySchedule) {
  const ProtocolParams params = example();
  EXPECT_EQ(params.uplink_format(Round{0}).keep, 1024u);
  EXPECT_EQ(params.uplink_format(Round{13}).keep, 1024u);
  EXPECT_EQ(params.uplink_format(Round{14}).keep, 512u);
  EXPECT_EQ(params.uplink_format(Round{1000}).keep, 256u) << "the last stage lasts";
  EXPECT_EQ(params.downlink_format(Round{0}).keep, 4096u);
  EXPECT_EQ(params.downlink_format(Round{1000}).keep, 1024u);
}

TEST(Params, GiveHalfOfTheUplinkToMemoryAndNoneOfTheDownlink) {
  ProtocolParams params = example();
  EXPECT_EQ(params.uplink_format(Round{0}).memory_keep, 512u);
  EXPECT_FALSE(params.downlink_format(Round{0}).has_memory());
  params.compression.schedule = {{1, 1}};
  EXPECT_FALSE(params.uplink_format(Round{0}).has_memory()) << "one entry makes one part";
}

TEST(Params, RunIdChangesWithEveryKindOfField) {
  const Hash id = run_id_of(example());
  const std::function<void(ProtocolParams&)> changes[] = {
      [](auto& p) { p.model.layers = 3; },
      [](auto& p) { p.training.learning_rate = 1; },
      [](auto& p) { p.compression.schedule[0].keep = 64; },
      [](auto& p) { p.verification.own_sequences = 5; },
      [](auto& p) { p.timing.train_ms = 5; },
      [](auto& p) { p.coordinator.bytes[0] = 1; },
      [](auto& p) { p.data_root.bytes[0] = 1; },
      [](auto& p) { p.netuid = 9; }};
  for (const auto& change : changes) {
    ProtocolParams params = example();
    change(params);
    EXPECT_NE(run_id_of(params), id);
  }
}

TEST(Params, RoundTripThroughTheirEncoding) {
  const Bytes bytes = wire::encode(example());
  EXPECT_EQ(wire::encode(wire::decode<ProtocolParams>(bytes, "params").value()), bytes);
}

TEST(Params, AreRefusedByFieldName) {
  const std::pair<const char*, std::function<void(ProtocolParams&)>> cases[] = {
      {"run.name", [](auto& p) { p.name = ""; }},
      {"model.layers", [](auto& p) { p.model.layers = 0; }},
      {"train.batch", [](auto& p) { p.training.batch = 0; }},
      {"train.cosine_to", [](auto& p) { p.training.cosine_to = 2; }},
      {"compression.schedule", [](auto& p) { p.compression.schedule.clear(); }},
      {"verify.own_sequences", [](auto& p) { p.verification.own_sequences = 0; }},
      {"timing.quorum_percent", [](auto& p) { p.timing.quorum_percent = 101; }},
      {"too few", [](auto& p) { p.sequences = 100; }}};
  EXPECT_TRUE(validate(example()));
  for (const auto& [field, spoil] : cases) {
    ProtocolParams params = example();
    spoil(params);
    const Status status = validate(params);
    ASSERT_FALSE(status) << field;
    EXPECT_NE(status.error().message.find(field), std::string::npos) << status.error().message;
  }
}

}  // namespace
}  // namespace muster::protocol
