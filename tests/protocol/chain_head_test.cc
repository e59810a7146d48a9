#include "protocol/chain_head.h"

#include <limits>

#include "tests/protocol/joining_fixture.h"

namespace muster::protocol {
namespace {

class HeadStateTest : public JoiningTest {};

TEST_F(HeadStateTest, ComesBackFromItsEncoding) {
  const Bytes bytes = wire::encode(head_);
  const auto again = wire::decode<HeadState>(bytes, "head").value();
  EXPECT_EQ(wire::encode(again), bytes);
  EXPECT_EQ(ChainHead(params_, run_id_, again).hash(), ChainHead(params_, run_id_, head_).hash());
}

TEST_F(HeadStateTest, HashesDifferentlyForEveryFieldAndRun) {
  const Hash before = ChainHead(params_, run_id_, head_).hash();
  EXPECT_NE(ChainHead(params_, sha256(bytes_of("other run")), head_).hash(), before);
  const std::function<void(HeadState&)> changes[] = {
      [](HeadState& s) { s.round = Round{6}; },
      [](HeadState& s) { s.parent.bytes[0] ^= 1; },
      [](HeadState& s) { s.state_id.bytes[0] ^= 1; },
      [](HeadState& s) { s.beacon.bytes[0] ^= 1; },
      [](HeadState& s) { s.epoch = 1; },
      [](HeadState& s) { s.cursor = 1; },
      [](HeadState& s) { s.null_rounds = 1; },
      [](HeadState& s) { s.medians.push_back(1); },
      [](HeadState& s) { s.arrivals.push_back({}); },
      [](HeadState& s) { s.screened.push_back({}); },
      [](HeadState& s) { s.members[0].role = Role::kValidator; }};
  for (const auto& change : changes) {
    HeadState changed = head_;
    change(changed);
    EXPECT_NE(ChainHead(params_, run_id_, changed).hash(), before);
  }
}

TEST_F(HeadStateTest, IsRefusedWithWhatNoHistoryLeaves) {
  ASSERT_TRUE(validate(head_));
  const std::function<void(HeadState&)> changes[] = {
      [](HeadState& s) { s.medians.assign(17, 1.0); },
      [](HeadState& s) { s.medians = {-1.0}; },
      [](HeadState& s) { s.medians = {std::numeric_limits<double>::quiet_NaN()}; },
      [](HeadState& s) { s.arrivals.resize(17); },
      [](HeadState& s) { s.arrivals = {std::vector<std::uint32_t>(100'000)}; },
      [](HeadState& s) { s.screened.resize(4); },
      [](HeadState& s) { s.screened = {{s.members[0].hotkey, s.members[0].hotkey}}; },
      [](HeadState& s) { s.members.push_back(s.members[0]); }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    HeadState changed = head_;
    changes[i](changed);
    EXPECT_FALSE(validate(changed).has_value()) << "change " << i;
  }
}

}  // namespace
}  // namespace muster::protocol
