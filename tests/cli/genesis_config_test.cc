#include "cli/ledger/genesis_config.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "chain/codec/ss58.h"
#include "tests/temporary_directory.h"

namespace muster::cli {
namespace {

using chain::runtime::kTao;

class GenesisConfigTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  PublicKey owner_ = SigningKey(Seed{1}).public_key(), miner_ = SigningKey(Seed{2}).public_key();
  std::string owner_address_ = chain::ss58_encode(owner_),
              miner_address_ = chain::ss58_encode(miner_);

  Result<chain::runtime::Genesis> read(const std::string& text) {
    EXPECT_TRUE(replace_file(directory_ / "genesis.toml", bytes_of(text)));
    return read_genesis_config(directory_ / "genesis.toml");
  }
  std::string problem(const std::string& text) {
    const auto genesis = read(text);
    return genesis ? "" : genesis.error().message;
  }
};

TEST_F(GenesisConfigTest, TheExampleHasTheDefaultsOfEveryField) {
  const auto example =
      read_genesis_config(std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/ledger.toml");
  ASSERT_TRUE(example) << example.error().message;
  const chain::runtime::Genesis defaults;
  EXPECT_EQ(example->name, defaults.name);
  EXPECT_EQ(example->block_ms, defaults.block_ms);
  EXPECT_EQ(example->call_fee_rao, defaults.call_fee_rao);
  EXPECT_EQ(example->byte_fee_rao, defaults.byte_fee_rao);
  EXPECT_EQ(example->network, defaults.network);
  const auto& subnet = example->subnets.at(0);
  const chain::runtime::GenesisSubnet new_subnet;
  EXPECT_EQ(subnet.parameters, new_subnet.parameters);
  EXPECT_EQ(subnet.rules, new_subnet.rules);
  EXPECT_EQ(subnet.started, new_subnet.started);
  EXPECT_EQ(subnet.first_permits, new_subnet.first_permits);
  EXPECT_EQ(subnet.tao_reserve, new_subnet.tao_reserve);
  EXPECT_EQ(subnet.burn_rao, new_subnet.burn_rao);
}

TEST_F(GenesisConfigTest, ReadsAccountsAmountsAndSubnets) {
  const auto genesis = read(
      "name = \"mine\"\nblock_ms = 500\n"
      "[network]\nemission_gate = true\nstake_threshold = \"2.5\"\n"
      "[[balance]]\naccount = \"" +
      miner_address_ +
      "\"\ntao = \"0.000000001\"\n"
      "[[balance]]\naccount = \"" +
      owner_address_ +
      "\"\ntao = \"12\"\n"
      "[[subnet]]\nnetuid = 3\nowner = \"" +
      owner_address_ +
      "\"\ntempo = 20\n"
      "[[subnet.neuron]]\nhotkey = \"" +
      miner_address_ +
      "\"\n"
      "[[subnet.stake]]\nhotkey = \"" +
      miner_address_ + "\"\namount = \"7\"\n");
  ASSERT_FALSE(genesis.has_value()) << "a balance under the existential deposit";
  const auto mended = read(
      "name = \"mine\"\nblock_ms = 500\n"
      "[network]\nemission_gate = true\nstake_threshold = \"2.5\"\n"
      "[[balance]]\naccount = \"" +
      miner_address_ +
      "\"\ntao = \"0.000000501\"\n"
      "[[subnet]]\nnetuid = 3\nowner = \"" +
      owner_address_ +
      "\"\ntempo = 20\n"
      "[[subnet.neuron]]\nhotkey = \"" +
      miner_address_ +
      "\"\n"
      "[[subnet.stake]]\nhotkey = \"" +
      miner_address_ + "\"\namount = \"7\"\n");
  ASSERT_TRUE(mended.has_value()) << mended.error().message;
  EXPECT_EQ(mended->name, "mine");
  EXPECT_EQ(mended->block_ms, 500u);
  EXPECT_EQ(mended->network.emission_rule, chain::runtime::EmissionRule::kGated);
  EXPECT_EQ(mended->network.stake_threshold, 5 * kTao / 2);
  ASSERT_EQ(mended->balances.size(), 1u);
  EXPECT_EQ(mended->balances[0].rao, 501u);
  ASSERT_EQ(mended->subnets.size(), 1u);
  const auto& subnet = mended->subnets[0];
  EXPECT_EQ(subnet.netuid, 3);
  EXPECT_EQ(subnet.owner_coldkey, owner_);
  EXPECT_EQ(subnet.owner_hotkey, owner_) << "the owner's, when no other is named";
  EXPECT_EQ(subnet.parameters.tempo, 20);
  ASSERT_EQ(subnet.neurons.size(), 1u);
  EXPECT_EQ(subnet.neurons[0].coldkey, miner_);
  ASSERT_EQ(subnet.stakes.size(), 1u);
  EXPECT_EQ(subnet.stakes[0].amount, 7 * kTao);
}

TEST_F(GenesisConfigTest, NamesLineFieldAndMendOfWhatIsWrong) {
  EXPECT_NE(problem("[[balance]]\naccount = \"5Bad\"\ntao = \"1\"\n")
                .find("genesis.toml:2: 'balance[0].account'"),
            std::string::npos);
  EXPECT_NE(problem("[[balance]]\naccount = \"" + owner_address_ + "\"\ntao = \"1.2345678901\"\n")
                .find("genesis.toml:3: 'balance[0].tao' must be an amount in quotes"),
            std::string::npos);
  EXPECT_NE(
      problem("[network]\ntao_weight = 1.5\n").find("'network.tao_weight' must be from 0 to 1"),
      std::string::npos);
  EXPECT_NE(problem("blocks_ms = 5\n").find("'blocks_ms' is no known field"), std::string::npos);
  EXPECT_NE(problem("[[subnet]]\nnetuid = 0\n").find("subnet.netuid must be 1..4095"),
            std::string::npos);
  EXPECT_NE(problem("name = \n").find("genesis.toml:1"), std::string::npos);
}

TEST_F(GenesisConfigTest, RefusesAnyTextWithoutFailing) {
  for (const char* text : {"[[subnet]]\nnetuid = \"x\"\n", "subnet = 3\n", "[balance]\n",
                           "[[root.stake]]\namount = 5\n", "[network]\nsubnet_limit = -1\n",
                           "\xff\xfe", "[[subnet]]\ntempo = 99999999999\n"})
    EXPECT_FALSE(read(text).has_value()) << text;
}

}  // namespace
}  // namespace muster::cli
