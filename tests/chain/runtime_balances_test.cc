#include <gtest/gtest.h>

#include "chain/runtime/balances.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

std::uint64_t balance(Economy& economy, std::uint16_t number) {
  return balance_of(economy.state(), key(number));
}

TEST(Balances, ATransferMovesExactlyItsAmount) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), TransferKeepAlive{{key(104)}, {kTao}}));
  EXPECT_EQ(balance(economy, 103), 9'999 * kTao);
  EXPECT_EQ(balance(economy, 104), 10'001 * kTao);
}

TEST(Balances, MoreThanThereIsIsRefused) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), TransferAllowDeath{{key(104)}, {10'000 * kTao + 1}}),
            DispatchError::kFundsUnavailable);
}

TEST(Balances, KeepingAliveLeavesTheExistentialDeposit) {
  Economy economy;
  const std::uint64_t deposit = economy.state().network.existential_deposit_rao;
  EXPECT_EQ(economy.call(key(103), TransferKeepAlive{{key(104)}, {10'000 * kTao - deposit + 1}}),
            DispatchError::kNotExpendable);
  EXPECT_FALSE(economy.call(key(103), TransferKeepAlive{{key(104)}, {10'000 * kTao - deposit}}));
  EXPECT_EQ(balance(economy, 103), deposit);
}

TEST(Balances, DustLeavesTheIssuanceWithItsAccount) {
  Economy economy;
  const std::uint64_t issuance = economy.state().issuance_rao;
  EXPECT_FALSE(economy.call(key(103), TransferAllowDeath{{key(104)}, {10'000 * kTao - 499}}));
  EXPECT_EQ(balance(economy, 103), 0u);
  EXPECT_EQ(economy.state().issuance_rao, issuance - 499);
  EXPECT_FALSE(economy.state().accounts.contains(key(103)));
}

TEST(Balances, ANewAccountNeedsTheExistentialDeposit) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), TransferKeepAlive{{key(900)}, {499}}),
            DispatchError::kBelowMinimum);
  EXPECT_FALSE(economy.call(key(103), TransferKeepAlive{{key(900)}, {500}}));
  EXPECT_EQ(balance(economy, 900), 500u);
}

TEST(Balances, ATransferToOneselfChangesNothing) {
  Economy economy;
  const Hash before = state_hash(economy.state());
  EXPECT_FALSE(economy.call(key(103), TransferKeepAlive{{key(103)}, {kTao}}));
  EXPECT_EQ(state_hash(economy.state()), before);
}

TEST(Balances, SubnetsAccountsHaveUpstreamsIds) {
  EXPECT_EQ(subnet_account(0).hex(),
            "6d6f646c73756274656e73720000000000000000000000000000000000000000");
  EXPECT_EQ(subnet_account(3).hex(),
            "6d6f646c73756274656e73720300000000000000000000000000000000000000");
  EXPECT_EQ(burn_account().hex(),
            "6d6f646c6275726e746e73720000000000000000000000000000000000000000");
  EXPECT_TRUE(is_subnet_account(subnet_account(4095)));
  EXPECT_FALSE(is_subnet_account(burn_account()));
}

TEST(Balances, ASubnetsAccountIsNobodysHotkey) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), TryAssociateHotkey{subnet_account(7)}),
            DispatchError::kCannotUseSystemAccount);
}

TEST(Balances, ANonceOutlivesItsAccount) {
  Economy economy;
  economy.state().accounts.at(key(103)).nonce = 5;
  EXPECT_FALSE(economy.call(key(103), TransferAllowDeath{{key(104)}, {10'000 * kTao}}));
  EXPECT_EQ(economy.state().accounts.at(key(103)).nonce, 5u);
}

}  // namespace
}  // namespace muster::chain::runtime
