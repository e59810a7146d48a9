#include "chain/runtime/balances.h"

#include <algorithm>

namespace muster::chain::runtime {
namespace {

constexpr std::string_view kSubnetPrefix = "modlsubtensr";
constexpr std::string_view kBurnPrefix = "modlburntnsr";

AccountId account_named(std::string_view prefix) {
  AccountId account;
  std::ranges::copy(bytes_of(prefix), account.bytes.begin());
  return account;
}

// Sets a balance; an account without balance and nonce is forgotten.
void set_balance(const Context& context, const AccountId& account, std::uint64_t rao) {
  auto& accounts = context.state.accounts;
  const auto found = accounts.find(account);
  if (rao == 0 && (found == accounts.end() || found->second.nonce == 0))
    return context.journal.erase(accounts, account);
  context.journal.entry(accounts, account).free_rao = rao;
}

[[nodiscard]] bool can_receive(const Context& context, const AccountId& account,
                               std::uint64_t rao) {
  return rao == 0 || saturating_add(balance_of(context.state, account), rao) >=
                         context.network().existential_deposit_rao;
}

// REQUIRES: the account has it. Dust leaves the issuance.
void take(const Context& context, const AccountId& account, std::uint64_t rao) {
  const std::uint64_t left = balance_of(context.state, account) - rao;
  if (left >= context.network().existential_deposit_rao) return set_balance(context, account, left);
  set_balance(context, account, 0);
  context.edit(context.state.issuance_rao) -= left;
}

}  // namespace

AccountId subnet_account(Netuid netuid) {
  AccountId account = account_named(kSubnetPrefix);
  account.bytes[kSubnetPrefix.size()] = static_cast<std::uint8_t>(netuid);
  account.bytes[kSubnetPrefix.size() + 1] = static_cast<std::uint8_t>(netuid >> 8);
  return account;
}

AccountId burn_account() { return account_named(kBurnPrefix); }

bool is_subnet_account(const AccountId& account) {
  const auto& bytes = account.bytes;
  constexpr std::size_t kNetuidAt = kSubnetPrefix.size();
  return subnet_account(static_cast<Netuid>(bytes[kNetuidAt] | bytes[kNetuidAt + 1] << 8)) ==
         account;
}

std::uint64_t balance_of(const State& state, const AccountId& account) {
  const auto found = state.accounts.find(account);
  return found == state.accounts.end() ? 0 : found->second.free_rao;
}

std::uint64_t spare_balance_of(const State& state, const AccountId& account) {
  return saturating_sub(balance_of(state, account), state.network.existential_deposit_rao);
}

Outcome transfer(const Context& context, const AccountId& from, const AccountId& to,
                 std::uint64_t rao, Existence existence) {
  const std::uint64_t balance = balance_of(context.state, from);
  MUSTER_ENSURE(rao <= balance, kFundsUnavailable);
  MUSTER_ENSURE(rao == 0 || existence == Existence::kMayEnd ||
                    balance - rao >= context.network().existential_deposit_rao,
                kNotExpendable);
  MUSTER_ENSURE(can_receive(context, to, rao), kBelowMinimum);
  if (rao == 0 || from == to) return kDone;
  take(context, from, rao);
  set_balance(context, to, balance_of(context.state, to) + rao);
  return kDone;
}

Attempt<std::uint64_t> transfer_to_subnet(const Context& context, Netuid netuid,
                                          const AccountId& from, std::uint64_t rao) {
  if (rao == 0) return std::uint64_t{0};
  const std::uint64_t moved = std::min(rao, spare_balance_of(context.state, from));
  MUSTER_ENSURE(moved > 0, kInsufficientBalance);
  MUSTER_ATTEMPT(transfer(context, from, subnet_account(netuid), moved, Existence::kMustLive));
  return moved;
}

Outcome transfer_from_subnet(const Context& context, Netuid netuid, const AccountId& to,
                             std::uint64_t rao) {
  const AccountId account = subnet_account(netuid);
  MUSTER_ENSURE(rao <= balance_of(context.state, account), kInsufficientBalance);
  return transfer(context, account, to, rao, Existence::kMayEnd);
}

void pay_author_from_subnet(const Context& context, Netuid netuid, std::uint64_t rao) {
  const bool paid =
      context.author != AccountId{} && !transfer_from_subnet(context, netuid, context.author, rao);
  const AccountId account = subnet_account(netuid);
  if (!paid) recycle(context, account, std::min(rao, balance_of(context.state, account)));
}

bool mint(const Context& context, const AccountId& to, std::uint64_t rao) {
  auto& accounts = context.state.accounts;
  const auto found = accounts.find(to);
  if (rao == 0) return true;
  if (found != accounts.end() && found->second.free_rao > 0) {
    context.edit(found->second).free_rao += rao;
  } else {
    if (!can_receive(context, to, rao)) return false;
    set_balance(context, to, rao);
  }
  context.edit(context.state.issuance_rao) += rao;
  return true;
}

void recycle(const Context& context, const AccountId& from, std::uint64_t rao) {
  if (rao == 0) return;
  MUSTER_CHECK(rao <= balance_of(context.state, from), "recycles more than there is");
  take(context, from, rao);
  context.edit(context.state.issuance_rao) -= rao;
}

}  // namespace muster::chain::runtime
