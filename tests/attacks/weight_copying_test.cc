// A validator that measures nothing and copies the weights of others, from the ledger or from their
// Screens, under the ledger's own rules: with commit and reveal, and sealed Screens, it is an epoch
// late, and earns less than who measures.
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

// Where the copier reads.
enum class Source { kLedger, kOpenScreens };

struct Conditions {
  bool commit_reveal = true;
  int stable_epochs = 3;  // until other miners are good
  Source source = Source::kLedger;
};

// Four miners, uids 4 to 7; which of them are good changes every some epochs.
std::vector<std::uint16_t> quality(int epoch, int stable_epochs) {
  const auto turn = static_cast<std::size_t>(epoch / stable_epochs);
  std::vector<std::uint16_t> weights(4, 1);
  weights[turn % 4] = 60'000;
  weights[(turn + 1) % 4] = 20'000;
  return weights;
}

const std::vector<std::uint16_t> kMiners{4, 5, 6, 7};

class Market {
 public:
  explicit Market(const Conditions& conditions)
      : commit_reveal_(conditions.commit_reveal),
        economy_(three_validators(conditions.commit_reveal)) {
    economy_.step(kTempo);  // permits
    before_[kHonest] = alpha(kHonest);
    before_[kCopier] = alpha(kCopier);
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      const auto measured = quality(epoch, conditions.stable_epochs);
      for (const std::uint16_t validator :
           std::initializer_list<std::uint16_t>{kHonest, kAlsoHonest})
        submit(validator, measured, epoch);
      submit(kCopier, conditions.source == Source::kLedger ? seen() : measured, epoch);
      economy_.step(kTempo);
    }
  }

  // What the copier's stake grew by, of what a validator's did that measures.
  [[nodiscard]] double copied_share() const { return earned(kCopier) / earned(kHonest); }

 private:
  [[nodiscard]] double earned(std::uint16_t hotkey) const {
    return static_cast<double>(alpha(hotkey) - before_.at(hotkey));
  }
  [[nodiscard]] std::uint64_t alpha(std::uint16_t hotkey) const {
    return stake_of(const_cast<Economy&>(economy_).state(), key(hotkey), kSubnet);
  }

  // The honest validator's row on the ledger, as anyone can read it now.
  [[nodiscard]] std::vector<std::uint16_t> seen() {
    std::vector<std::uint16_t> weights(4, 1);
    for (const auto& [uid, weight] : economy_.subnet().mechanisms[0].weights[1])
      if (uid >= 4 && uid < 8)
        weights[static_cast<std::size_t>(uid - 4)] = std::max<std::uint16_t>(1, weight);
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
  EXPECT_NEAR(Market({.commit_reveal = false}).copied_share(), 1, 0.02);
}

// Why evaluations and weights are sealed in Screens.
TEST(WeightCopying, WouldPayAsWellAsMeasuringFromOpenScreens) {
  EXPECT_NEAR(Market({.source = Source::kOpenScreens}).copied_share(), 1, 0.02);
}

TEST(WeightCopying, EarnsLessThanMeasuringUnderCommitAndReveal) {
  EXPECT_LT(Market({.stable_epochs = 3}).copied_share(), 0.75);
}

TEST(WeightCopying, EarnsAtMostHalfWhereQualityChangesEveryEpoch) {
  EXPECT_LT(Market({.stable_epochs = 1}).copied_share(), 0.5);
}

// Nothing is late where nothing changes.
TEST(WeightCopying, PaysAsWellAsMeasuringWhereQualityIsStable) {
  EXPECT_GT(Market({.stable_epochs = kEpochs}).copied_share(), 0.9);
}

}  // namespace
}  // namespace muster::chain::runtime
