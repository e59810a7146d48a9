#include "protocol/roster.h"

#include <gtest/gtest.h>

#include <functional>

namespace muster::protocol {
namespace {

class RosterTest : public ::testing::Test {
 protected:
  RosterTest() {
    for (std::uint16_t i = 0; i < 4; ++i) {
      view_.members.push_back(
          {Uid{i}, SigningKey(random_seed()).public_key(), i < 2 ? 0u : 100u, i >= 2});
    }
    view_.block = open_.ledger_block = 7;
    view_.block_hash = open_.ledger_block_hash = sha256(bytes_of("block 7"));
    for (const Member& member : view_.members)
      open_.roster.push_back({member.uid, member.hotkey,
                              member.may_validate ? Role::kValidator : Role::kMiner, member.stake,
                              sha256(bytes_of("secret"))});
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

TEST_F(RosterTest, IsALieWithAValidatorWithoutAPermit) {
  view_.members[3].may_validate = false;
  const auto lie = find_lie(open_, view_);
  ASSERT_TRUE(lie.has_value());
  EXPECT_NE(lie->expected, lie->found);
  EXPECT_NE(lie->what.find("with permit to validate and with a stake of 100 rao is on the ledger"),
            std::string::npos)
      << lie->what;
}

TEST_F(RosterTest, IsALieWithWhoIsNotOnTheLedger) {
  view_.members.pop_back();
  const auto lie = find_lie(open_, view_);
  ASSERT_TRUE(lie.has_value());
  EXPECT_NE(lie->what.find("is not on the ledger"), std::string::npos) << lie->what;
}

TEST_F(RosterTest, IsTrueWithAMinerThatMayValidate) {
  view_.members[0].may_validate = true;
  EXPECT_FALSE(find_lie(open_, view_));
}

TEST_F(RosterTest, IsALieAboutABlockWithAnotherHash) {
  open_.ledger_block_hash.bytes[0] ^= 1;
  const auto lie = find_lie(open_, view_);
  ASSERT_TRUE(lie.has_value());
  EXPECT_EQ(lie->expected, view_.block_hash);
  EXPECT_EQ(lie->found, open_.ledger_block_hash);
}

// ---- which block it is of

// A ledger's client that knows one block, without members.
class OneHistory final : public LedgerClient {
 public:
  OneHistory(LedgerHead head, const PublicKey& ledger) : head_(std::move(head)), ledger_(ledger) {}
  Status compare(const LedgerHead& other) override {
    if (!is_signed_by(other, ledger_)) return Error{Errc::kBadSignature, "not the ledger's"};
    return other == head_ ? Status() : Status(Error{Errc::kConflict, "keeps two histories"});
  }
  Result<Hash> genesis_hash() override { return head_.genesis; }
  Result<Metagraph> metagraph() override { return Metagraph{}; }
  Result<LedgerView> members_at(std::optional<std::uint64_t>) override {
    return LedgerView{head_.number, head_.block, {}};
  }
  Status register_neuron() override { return {}; }
  Status add_stake(std::uint64_t) override { return {}; }
  Status commit_weights(const WeightVector&) override { return {}; }
  Status reveal_weights(const WeightVector&) override { return {}; }
  Status set_commitment(ByteSpan) override { return {}; }

 private:
  LedgerHead head_;
  PublicKey ledger_;
};

class RosterBlockTest : public ::testing::Test {
 protected:
  [[nodiscard]] LedgerHead head(const SigningKey& key, std::string_view block) const {
    return sign_head(key, sha256(bytes_of("genesis")), 7, sha256(bytes_of(block)));
  }
  [[nodiscard]] static RosterBlock named(const LedgerHead& head) {
    return {head.number, head.block, head.signature};
  }
  SigningKey ledger_key_{random_seed()}, coordinator_{random_seed()};
  LedgerHead known_ = head(ledger_key_, "one");
  OneHistory ledger_{known_, ledger_key_.public_key()};
};

TEST_F(RosterBlockTest, IsTheLedgersOfItsNumber) {
  EXPECT_EQ(members_behind(ledger_, named(known_))->block_hash, known_.block);
  EXPECT_EQ(members_behind(ledger_, {known_.number, known_.block, {}})->block_hash, known_.block);
}

TEST_F(RosterBlockTest, ThatTheLedgerSignedBesideAnotherIsNoLieOfTheCoordinator) {
  EXPECT_EQ(members_behind(ledger_, named(head(ledger_key_, "another"))).error().code,
            Errc::kConflict);
}

TEST_F(RosterBlockTest, ThatTheLedgerDidNotSignIsLeftToComparing) {
  const LedgerHead invented = head(coordinator_, "another");
  RoundOpen open;
  open.ledger_block = invented.number;
  open.ledger_block_hash = invented.block;
  open.ledger_signature = invented.signature;
  for (const RosterBlock& block :
       {roster_block(open), RosterBlock{invented.number, invented.block, {}}}) {
    const auto view = members_behind(ledger_, block);
    ASSERT_TRUE(view) << view.error().message;
    EXPECT_TRUE(find_lie(open, *view).has_value());
  }
}

Neuron neuron(std::uint16_t uid, std::uint64_t stake, bool permit) {
  return {.uid = Uid{uid},
          .hotkey = PublicKey{{static_cast<std::uint8_t>(uid + 1)}},
          .stake = stake,
          .permit = permit};
}

TEST(Members, MayValidateWithAPermitAndTheStakeThatItNeeds) {
  const auto members =
      members_of({.stake_min = 50,
                  .neurons = {neuron(0, 50, true), neuron(1, 60, false), neuron(2, 49, true)}});
  EXPECT_TRUE(members[0].may_validate);
  EXPECT_FALSE(members[1].may_validate);
  EXPECT_EQ(members[1].stake, 60u) << "its stake is what it is";
  EXPECT_FALSE(members[2].may_validate) << "stake left since its permit";
}

TEST(Members, WithoutStakeDoNotValidateWhateverTheThreshold) {
  EXPECT_FALSE(members_of({.neurons = {neuron(0, 0, true)}})[0].may_validate)
      << "the owner's permit";
}

TEST(ValidatorStakes, LeaveOutMinersThatHavePermits) {
  Neuron miner = neuron(1, 70, true), both = neuron(2, 80, true);
  miner.incentive = both.incentive = 9;
  both.last_update = 5;
  const auto members =
      members_of({.neurons = {neuron(0, 50, true), miner, both, neuron(3, 90, false)}});
  const auto stakes = validator_stakes(members);
  EXPECT_EQ(stakes, (ValidatorStakes{{members[0].hotkey, 50}, {members[2].hotkey, 80}}));
}

}  // namespace
}  // namespace muster::protocol
