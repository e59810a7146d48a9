#include "protocol/roster.h"

#include <gtest/gtest.h>

#include <functional>

namespace muster::protocol {
namespace {

class RosterTest : public ::testing::Test {
 protected:
  RosterTest() {
    for (std::uint16_t i = 0; i < 4; ++i) {
      const Role role = i < 2 ? Role::kMiner : Role::kValidator;
      view_.members.push_back({Uid{i}, SigningKey(random_seed()).public_key(), role, i < 2 ? 0u : 100u});
    }
    view_.block = open_.ledger_block = 7;
    view_.block_hash = open_.ledger_block_hash = sha256(bytes_of("block 7"));
    for (const Member& member : view_.members)
      open_.roster.push_back({member.uid, member.hotkey, member.role, member.stake, sha256(bytes_of("secret"))});
  }
  LedgerView view_;
  RoundOpen open_;
};

TEST_F(RosterTest, IsTrueAsTheLedgerHasIt) { EXPECT_FALSE(find_lie(open_, view_)); }

TEST_F(RosterTest, MayLackWhoWasNotReady) {
  open_.roster.erase(open_.roster.begin());
  EXPECT_FALSE(find_lie(open_, view_));
}

TEST_F(RosterTest, IsALieWithAnythingElseThanTheLedgerHas) {
  const std::function<void(RosterEntry&)> changes[] = {
      [](RosterEntry& entry) { entry.uid = Uid{9}; },
      [](RosterEntry& entry) { entry.hotkey = SigningKey(random_seed()).public_key(); },
      [](RosterEntry& entry) { entry.role = Role::kMiner; },
      [](RosterEntry& entry) { ++entry.stake; }};
  for (const auto& change : changes) {
    RoundOpen open = open_;
    change(open.roster.back());
    const auto lie = find_lie(open, view_);
    ASSERT_TRUE(lie.has_value());
    EXPECT_NE(lie->expected, lie->found);
    EXPECT_FALSE(lie->what.empty());
  }
}

TEST_F(RosterTest, IsALieAboutABlockWithAnotherHash) {
  open_.ledger_block_hash.bytes[0] ^= 1;
  const auto lie = find_lie(open_, view_);
  ASSERT_TRUE(lie.has_value());
  EXPECT_EQ(lie->expected, view_.block_hash);
  EXPECT_EQ(lie->found, open_.ledger_block_hash);
}

Neuron validator(std::uint16_t uid, std::uint64_t stake, bool permit) {
  return {.uid = Uid{uid}, .role = Role::kValidator, .stake = stake, .permit = permit};
}

TEST(Members, StakeOfAValidatorCountsWithAPermit) {
  const auto members = members_of({.neurons = {validator(0, 50, true), validator(1, 60, false)}});
  EXPECT_EQ(members[0].stake, 50u);
  EXPECT_EQ(members[1].stake, 0u);
}

TEST(Members, StakeCountsWithoutAPermitUntilAValidatorHasOne) {
  Neuron miner{.uid = Uid{2}, .stake = 5, .permit = true};
  const auto members = members_of({.neurons = {validator(0, 50, false), validator(1, 0, false), miner}});
  EXPECT_EQ(members[0].stake, 50u);
  EXPECT_EQ(members[1].stake, 0u);
  EXPECT_EQ(members[2].stake, 5u);
}

}  // namespace
}  // namespace muster::protocol
