#include "chain/consensus.h"

#include <gtest/gtest.h>

#include <map>

namespace muster::chain {
namespace {

constexpr std::uint64_t kStake = 1ull << 40;

std::map<Uid, std::uint64_t> miner_pay(const std::vector<WeightRow>& rows) {
  std::map<Uid, std::uint64_t> pay;
  for (const Payout& payout : run_epoch(rows, 1000, 1000).miners) pay[payout.uid] = payout.rao;
  return pay;
}

TEST(Consensus, PaysByAgreedWeights) {
  const auto pay = miner_pay({{Uid{10}, kStake, {{Uid{1}, 3}, {Uid{2}, 1}}},
                              {Uid{11}, kStake, {{Uid{1}, 3}, {Uid{2}, 1}}}});
  EXPECT_EQ(pay.at(Uid{1}), 750u);
  EXPECT_EQ(pay.at(Uid{2}), 250u);
}

TEST(Consensus, AMinorityCannotPayItsFriend) {
  const auto pay = miner_pay({{Uid{10}, 2 * kStake, {{Uid{1}, 1}}},
                              {Uid{11}, 1 * kStake, {{Uid{9}, 1}}}});
  EXPECT_EQ(pay.at(Uid{1}), 1000u);
  EXPECT_EQ(pay.at(Uid{9}), 0u);
}

TEST(Consensus, AValidatorAgainstTheMajorityEarnsNoDividend) {
  const auto result = run_epoch({{Uid{10}, 2 * kStake, {{Uid{1}, 1}}},
                                 {Uid{11}, 1 * kStake, {{Uid{9}, 1}}}},
                                1000, 1000);
  for (const Payout& payout : result.validators)
    EXPECT_EQ(payout.rao, payout.uid == Uid{10} ? 1000u : 0u);
}

TEST(Consensus, PaysNobodyWithoutWeights) {
  EXPECT_TRUE(run_epoch({}, 1000, 1000).miners.empty());
  EXPECT_TRUE(run_epoch({{Uid{10}, kStake, {{Uid{1}, 0}}}}, 1000, 1000).miners.empty());
}

TEST(Consensus, NeverPaysMoreThanThereIs) {
  const std::uint64_t most = ~std::uint64_t{0};
  std::vector<WeightRow> rows;
  for (std::uint16_t v = 0; v < 64; ++v) {
    WeightRow row{Uid{v}, most / 64, {}};
    for (std::uint16_t m = 100; m < 300; ++m)
      row.weights.emplace_back(Uid{m}, static_cast<std::uint16_t>(m * 7 + v));
    rows.push_back(row);
  }
  std::uint64_t total = 0;
  for (const Payout& payout : run_epoch(rows, 1'000'000, 0).miners) total += payout.rao;
  EXPECT_LE(total, 1'000'000u);
  EXPECT_GT(total, 990'000u);
}

}  // namespace
}  // namespace muster::chain
