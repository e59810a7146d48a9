#include "chain/ledger.h"

#include <gtest/gtest.h>

#include "wire/codec.h"

namespace muster::chain {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  SigningKey validator_{random_seed()}, miner_{random_seed()}, poor_{random_seed()};
  Genesis genesis_ = [this] {
    Genesis genesis;
    genesis.tempo = 5;
    genesis.uids_max = 2;
    genesis.balances = {{validator_.public_key(), 10'000'000'000},
                        {miner_.public_key(), 2'000'000'000},
                        {poor_.public_key(), 10}};
    return genesis;
  }();
  Ledger ledger_{genesis_};

  Extrinsic extrinsic(const SigningKey& key, const Call& call) const {
    return sign_extrinsic(ledger_.genesis_id(), ledger_.nonce_of(key.public_key()), call, key);
  }
  Refusal submit(const SigningKey& key, const Call& call) {
    return ledger_.submit(extrinsic(key, call));
  }
  static Call registration(Role role) {
    Call call;
    call.role = role;
    return call;
  }
  static Call stake(std::uint64_t amount) {
    Call call;
    call.kind = CallKind::kAddStake;
    call.amount = amount;
    return call;
  }
  Call commit_for(const Call& reveal) const {
    Call call;
    call.kind = CallKind::kCommitWeights;
    call.hash = protocol::weights_commitment(validator_.public_key(), reveal.uids, reveal.weights,
                                             reveal.hash);
    return call;
  }
  static Call reveal(std::vector<Uid> uids, std::vector<std::uint16_t> weights) {
    Call call;
    call.kind = CallKind::kRevealWeights;
    call.uids = std::move(uids);
    call.weights = std::move(weights);
    call.hash = sha256(bytes_of("salt"));
    return call;
  }
  void populate() {
    ASSERT_EQ(submit(validator_, registration(Role::kValidator)), Refusal::kNone);
    ASSERT_EQ(submit(miner_, registration(Role::kMiner)), Refusal::kNone);
    ASSERT_EQ(submit(validator_, stake(5'000'000'000)), Refusal::kNone);
  }
  void produce_until_epoch_starts() {
    do ledger_.produce_block();
    while ((ledger_.block_number() + 1) % genesis_.tempo != 0);
  }
};

TEST_F(LedgerTest, RegistrationBurnsItsCostAndGivesTheNextUid) {
  populate();
  EXPECT_EQ(ledger_.balance_of(miner_.public_key()), 1'000'000'000u);
  EXPECT_EQ(ledger_.metagraph().neurons[1].hotkey, miner_.public_key());
}

TEST_F(LedgerTest, RefusesEachWrongCallForItsOneReason) {
  EXPECT_EQ(submit(poor_, registration(Role::kMiner)), Refusal::kBalanceTooLow);
  EXPECT_EQ(submit(miner_, registration(Role::kLedger)), Refusal::kRoleNotRegistrable);
  EXPECT_EQ(submit(miner_, stake(1)), Refusal::kNotRegistered);
  populate();
  EXPECT_EQ(submit(miner_, registration(Role::kMiner)), Refusal::kAlreadyRegistered);
  EXPECT_EQ(submit(poor_, registration(Role::kMiner)), Refusal::kSubnetFull);
  EXPECT_EQ(submit(miner_, stake(0)), Refusal::kAmountIsZero);
  EXPECT_EQ(submit(miner_, stake(~0ull)), Refusal::kBalanceTooLow);
  EXPECT_EQ(submit(miner_, commit_for(reveal({}, {}))), Refusal::kNotAValidator);
  EXPECT_EQ(submit(validator_, reveal({}, {})), Refusal::kNoCommit);
}

TEST_F(LedgerTest, RefusesForgedReplayedAndForeignExtrinsics) {
  Extrinsic good = extrinsic(miner_, registration(Role::kMiner));
  Extrinsic forged = good;
  forged.call.role = Role::kValidator;
  EXPECT_EQ(ledger_.submit(forged), Refusal::kBadSignature);
  Extrinsic foreign = sign_extrinsic(Hash{}, 0, registration(Role::kMiner), miner_);
  EXPECT_EQ(ledger_.submit(foreign), Refusal::kWrongGenesis);
  EXPECT_EQ(ledger_.submit(good), Refusal::kNone);
  EXPECT_EQ(ledger_.submit(good), Refusal::kWrongNonce) << "once is once";
}

TEST_F(LedgerTest, ChecksARevealAgainstItsCommitAndWindow) {
  populate();
  produce_until_epoch_starts();
  const Call weights = reveal({Uid{1}}, {100});
  ASSERT_EQ(submit(validator_, commit_for(weights)), Refusal::kNone);
  EXPECT_EQ(submit(validator_, weights), Refusal::kRevealOutsideWindow);
  produce_until_epoch_starts();
  EXPECT_EQ(submit(validator_, reveal({Uid{1}}, {})), Refusal::kLengthsDiffer);
  EXPECT_EQ(submit(validator_, reveal({Uid{1}, Uid{1}}, {1, 1})), Refusal::kUidsNotAscending);
  EXPECT_EQ(submit(validator_, reveal({Uid{7}}, {1})), Refusal::kUnknownUid);
  EXPECT_EQ(submit(validator_, reveal({Uid{1}}, {101})), Refusal::kCommitMismatch);
  EXPECT_EQ(submit(validator_, weights), Refusal::kNone);
}

TEST_F(LedgerTest, PaysTheTempoByRevealedWeights) {
  populate();
  produce_until_epoch_starts();
  const Call weights = reveal({Uid{1}}, {100});
  ASSERT_EQ(submit(validator_, commit_for(weights)), Refusal::kNone);
  produce_until_epoch_starts();
  ASSERT_EQ(submit(validator_, weights), Refusal::kNone);
  produce_until_epoch_starts();
  ledger_.produce_block();
  const auto metagraph = ledger_.metagraph();
  EXPECT_EQ(metagraph.neurons[1].incentive, 65535);
  EXPECT_GE(metagraph.neurons[1].earned, genesis_.emission_per_block * genesis_.tempo / 2);
  EXPECT_GE(metagraph.neurons[0].earned, genesis_.emission_per_block * genesis_.tempo / 2);
}

TEST_F(LedgerTest, ReplayingItsBlocksGivesTheSameHash) {
  std::vector<Block> blocks;
  populate();
  for (int i = 0; i < 12; ++i) blocks.push_back(ledger_.produce_block());
  Ledger replayed(genesis_);
  for (const Block& block : blocks) ASSERT_TRUE(replayed.apply(block));
  EXPECT_EQ(replayed.head(), ledger_.head());
  EXPECT_EQ(replayed.state_hash(), ledger_.state_hash());
}

TEST_F(LedgerTest, RefusesABlockThatWasChanged) {
  populate();
  Block block = ledger_.produce_block();
  block.extrinsics.pop_back();
  EXPECT_EQ(Ledger(genesis_).apply(block).error().code, Errc::kConflict);
}

}  // namespace
}  // namespace muster::chain
