// A validator that measures nothing and copies the weights that others have on the ledger, under the ledger's
// own rules: with commit and reveal it is an epoch late, and earns less than who measures.
#include <gtest/gtest.h>

#include "chain/codec/commit_hash.h"
#include "chain/runtime/stakes.h"
#include "chain/yuma/mechanism.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

constexpr std::uint16_t kHonest = 201, kAlsoHonest = 202, kCopier = 203;
constexpr int kEpochs = 24;
constexpr std::uint64_t kTempo = 20;

Genesis three_validators(bool commit_reveal) {
  Genesis genesis = small_genesis();
  for (std::uint16_t i = 8; i < 12; ++i) genesis.balances.push_back({key(100 + i), 10'000 * kTao});
  genesis.root_stakes.clear();
  genesis.root_neurons.clear();
  GenesisSubnet& subnet = genesis.subnets.front();
  subnet.parameters.commit_reveal = commit_reveal;
  subnet.neurons.clear();
  for (std::uint16_t i = 1; i < 8; ++i) subnet.neurons.push_back({key(100 + i), key(200 + i)});
  subnet.stakes = {{key(101), key(kHonest), 2'000 * kTao},
                   {key(102), key(kAlsoHonest), 2'000 * kTao},
                   {key(103), key(kCopier), 2'000 * kTao}};
  return genesis;
}

// Four miners, uids 4 to 7; which of them are good changes every third epoch.
std::vector<std::uint16_t> quality(int epoch) {
  std::vector<std::uint16_t> weights(4, 1);
  weights[static_cast<std::size_t>(epoch / 3 % 4)] = 60'000;
  weights[static_cast<std::size_t>((epoch / 3 + 1) % 4)] = 20'000;
  return weights;
}

const std::vector<std::uint16_t> kMiners{4, 5, 6, 7};

class Market {
 public:
  explicit Market(bool commit_reveal)
      : commit_reveal_(commit_reveal), economy_(three_validators(commit_reveal)) {
    economy_.step(kTempo);  // permits
    before_[kHonest] = alpha(kHonest);
    before_[kCopier] = alpha(kCopier);
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      for (const std::uint16_t validator : {kHonest, kAlsoHonest}) submit(validator, quality(epoch), epoch);
      submit(kCopier, seen(), epoch);
      economy_.step(kTempo);
    }
  }

  // What a validator's stake grew by.
  [[nodiscard]] double earned(std::uint16_t hotkey) const {
    return static_cast<double>(alpha(hotkey) - before_.at(hotkey));
  }

 private:
  [[nodiscard]] std::uint64_t alpha(std::uint16_t hotkey) const {
    return stake_of(const_cast<Economy&>(economy_).state(), key(hotkey), kSubnet);
  }

  // The honest validator's row on the ledger, as anyone can read it now.
  [[nodiscard]] std::vector<std::uint16_t> seen() {
    std::vector<std::uint16_t> weights(4, 1);
    for (const auto& [uid, weight] : economy_.subnet().mechanisms[0].weights[1])
      if (uid >= 4 && uid < 8) weights[static_cast<std::size_t>(uid - 4)] = std::max<std::uint16_t>(1, weight);
    return weights;
  }

  void submit(std::uint16_t validator, const std::vector<std::uint16_t>& weights, int epoch) {
    if (!commit_reveal_) {
      EXPECT_FALSE(economy_.call(key(validator), SetWeights{kSubnet, kMiners, weights, 0}));
      return;
    }
    if (const auto committed = committed_.find(validator); committed != committed_.end()) {
      EXPECT_FALSE(economy_.call(key(validator), committed->second));
    }
    const RevealWeights reveal{kSubnet, kMiners, weights, {static_cast<std::uint16_t>(epoch)}, 0};
    const Hash hash = weights_commit_hash(key(validator), mechanism_index(kSubnet, 0), reveal.uids,
                                          reveal.weights, reveal.salt, 0);
    EXPECT_FALSE(economy_.call(key(validator), CommitWeights{kSubnet, hash}));
    committed_[validator] = reveal;
  }

  bool commit_reveal_;
  Economy economy_;
  std::map<std::uint16_t, std::uint64_t> before_;
  std::map<std::uint16_t, RevealWeights> committed_;
};

TEST(WeightCopying, PaysAsWellAsMeasuringWhereWeightsAreOpen) {
  const Market market(false);
  EXPECT_GT(market.earned(kHonest), 0);
  EXPECT_NEAR(market.earned(kCopier) / market.earned(kHonest), 1, 0.02);
}

TEST(WeightCopying, EarnsLessThanMeasuringUnderCommitAndReveal) {
  const Market market(true);
  EXPECT_GT(market.earned(kHonest), 0);
  EXPECT_LT(market.earned(kCopier) / market.earned(kHonest), 0.75);
}

}  // namespace
}  // namespace muster::chain::runtime
