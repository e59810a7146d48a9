// The setter against the real ledger, block by block.
#include "verify/weight_setter.h"

#include <gtest/gtest.h>

#include "chain/ledger.h"

namespace muster::verify {
namespace {

class WeightSetterTest : public ::testing::Test {
 protected:
  SigningKey validator_{random_seed()}, miner_{random_seed()}, cheater_{random_seed()};
  chain::Genesis genesis_ = [this] {
    chain::Genesis genesis;
    genesis.tempo = 4;
    for (const SigningKey* key : {&validator_, &miner_, &cheater_})
      genesis.balances.push_back({key->public_key(), 1'000'000'000'000});
    return genesis;
  }();
  chain::Ledger ledger_{genesis_};
  WeightSetter setter_{validator_};
  std::map<PublicKey, std::uint16_t> weights_{{miner_.public_key(), 65535},
                                              {cheater_.public_key(), 0}};

  chain::Refusal submit(const SigningKey& key, chain::Call call) {
    return ledger_.submit(chain::sign_extrinsic(ledger_.genesis_id(),
                                                ledger_.nonce_of(key.public_key()), call, key));
  }
  void register_all() {
    for (const SigningKey* key : {&validator_, &miner_, &cheater_}) {
      chain::Call call;
      call.role = key == &validator_ ? Role::kValidator : Role::kMiner;
      ASSERT_EQ(submit(*key, call), chain::Refusal::kNone);
    }
    chain::Call stake;
    stake.kind = chain::CallKind::kAddStake;
    stake.amount = 100'000'000'000;
    ASSERT_EQ(submit(validator_, stake), chain::Refusal::kNone);
  }
  // One look at the ledger and what the setter wants of it.
  void step(WeightSetter& setter) {
    const auto step = setter.next(ledger_.metagraph(), weights_);
    chain::Call call;
    if (const auto* commit = std::get_if<WeightSetter::Commit>(&step)) {
      call.kind = chain::CallKind::kCommitWeights;
      call.hash = commit->commitment;
    } else if (const auto* reveal = std::get_if<WeightSetter::Reveal>(&step)) {
      call.kind = chain::CallKind::kRevealWeights;
      call.uids = reveal->vector.uids;
      call.weights = reveal->vector.weights;
      call.hash = reveal->vector.salt;
    } else {
      return;
    }
    ASSERT_EQ(submit(validator_, call), chain::Refusal::kNone);
    setter.submitted(step);
  }
};

TEST_F(WeightSetterTest, BringsWeightsIntoForceByCommitAndReveal) {
  register_all();
  for (int block = 0; block < 20; ++block) {
    ledger_.produce_block();
    step(setter_);
  }
  ASSERT_TRUE(setter_.in_force().has_value());
  const auto metagraph = ledger_.metagraph();
  EXPECT_EQ(metagraph.neurons[1].incentive, 65535);
  EXPECT_GT(metagraph.neurons[1].earned, 0u);
  EXPECT_EQ(metagraph.neurons[2].incentive, 0) << "weight zero is no weight";
  EXPECT_EQ(metagraph.neurons[2].earned, 0u);
}

TEST_F(WeightSetterTest, CommitsNothingWhileAllWeightsAreZero) {
  register_all();
  weights_.clear();
  ledger_.produce_block();
  EXPECT_TRUE(
      std::holds_alternative<std::monostate>(setter_.next(ledger_.metagraph(), weights_)));
}

TEST_F(WeightSetterTest, RevealsWhatItCommittedEvenWhenRatingsMoveOn) {
  register_all();
  ledger_.produce_block();
  step(setter_);
  weights_ = {{cheater_.public_key(), 65535}};
  for (int block = 0; block < 5 && !setter_.in_force(); ++block) {
    ledger_.produce_block();
    step(setter_);
  }
  ASSERT_TRUE(setter_.in_force().has_value());
  EXPECT_EQ(setter_.in_force()->uids, std::vector<Uid>{Uid{1}});
}

}  // namespace
}  // namespace muster::verify
