// The setter against the real ledger, block by block.
#include "verify/weight_setter.h"

#include <gtest/gtest.h>

#include "chain/service/remote_ledger.h"
#include "tests/chain/network_chain.h"

namespace muster::verify {
namespace {

using muster::testing::submit;

class WeightSetterTest : public ::testing::Test {
 protected:
  SigningKey validator_{random_seed()}, miner_{random_seed()}, cheater_{random_seed()};
  chain::runtime::Ledger ledger_{muster::testing::network_genesis(
      {validator_.public_key(), miner_.public_key(), cheater_.public_key()})};
  WeightSetter setter_{validator_, Hash{}, 1};
  std::map<PublicKey, std::uint16_t> weights_{{miner_.public_key(), 65535},
                                              {cheater_.public_key(), 0}};

  protocol::Metagraph metagraph() const { return chain::network_view(ledger_, 1).value(); }
  // Uid 0 is the subnet owner's.
  void register_all() {
    for (const SigningKey* key : {&validator_, &miner_, &cheater_}) {
      ASSERT_TRUE(submit(ledger_, *key, chain::BurnedRegister{1, key->public_key()}));
      ledger_.produce_block(false);
    }
    ASSERT_TRUE(submit(ledger_, validator_,
                       chain::AddStake{validator_.public_key(), 1, 100 * chain::runtime::kTao}));
  }
  // One look at the ledger and what the setter wants of it.
  void step(WeightSetter& setter) {
    const auto step = setter.next(metagraph(), weights_);
    if (const auto* commit = std::get_if<WeightSetter::Commit>(&step)) {
      ASSERT_TRUE(submit(ledger_, validator_,
                         chain::CommitWeights{
                             1, chain::commitment_of(validator_.public_key(), 1, commit->vector)}));
    } else if (const auto* reveal = std::get_if<WeightSetter::Reveal>(&step)) {
      ASSERT_TRUE(submit(ledger_, validator_, chain::reveal_of(1, reveal->vector)));
    } else {
      return;
    }
    setter.submitted(step);
  }
};

TEST_F(WeightSetterTest, BringsWeightsIntoForceByCommitAndReveal) {
  register_all();
  for (int block = 0; block < 20; ++block) {
    ledger_.produce_block(false);
    step(setter_);
  }
  ASSERT_TRUE(setter_.in_force().has_value());
  const auto neurons = metagraph().neurons;
  EXPECT_EQ(neurons[2].incentive, 65535);
  EXPECT_GT(neurons[2].earned, 0u);
  EXPECT_EQ(neurons[3].incentive, 0) << "weight zero is no weight";
  EXPECT_EQ(neurons[3].earned, 0u);
}

TEST_F(WeightSetterTest, CommitsNothingWhileAllWeightsAreZero) {
  register_all();
  weights_.clear();
  ledger_.produce_block(false);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(setter_.next(metagraph(), weights_)));
}

TEST_F(WeightSetterTest, RevealsWhatItCommittedEvenWhenRatingsMoveOn) {
  register_all();
  ledger_.produce_block(false);
  step(setter_);
  weights_ = {{cheater_.public_key(), 65535}};
  for (int block = 0; block < 5 && !setter_.in_force(); ++block) {
    ledger_.produce_block(false);
    step(setter_);
  }
  ASSERT_TRUE(setter_.in_force().has_value());
  EXPECT_EQ(setter_.in_force()->uids, std::vector<Uid>{Uid{2}});
}

TEST_F(WeightSetterTest, HidesTheSameWeightsBehindAnotherSaltOnEachLedgerAndSubnet) {
  register_all();
  ledger_.produce_block(false);
  const auto salt = [&](const Hash& genesis, std::uint16_t netuid) {
    return std::get<WeightSetter::Commit>(
               WeightSetter(validator_, genesis, netuid).next(metagraph(), weights_))
        .vector.salt;
  };
  const Hash other = tagged_hash("muster/test-genesis", ByteSpan{});
  EXPECT_EQ(salt(Hash{}, 1), salt(Hash{}, 1));
  EXPECT_NE(salt(Hash{}, 1), salt(other, 1));
  EXPECT_NE(salt(Hash{}, 1), salt(Hash{}, 2));
}

}  // namespace
}  // namespace muster::verify
