#include "cli/localnet_members.h"

#include <algorithm>

namespace muster::cli {
namespace {

constexpr std::uint64_t kValidatorStake = 100'000'000'000;
constexpr std::size_t kJoiningMax = 32;  // members with a connection to the ledger at once, before the nodes start
constexpr int kLedgerWaitMs = 2000;      // per question; a ledger that cannot start is noticed in between
constexpr int kQuestions = 10;           // until it answers

// A member's client, and what it has sent that no block is known to hold yet.
struct Joining {
  std::unique_ptr<chain::RemoteLedger> client;
  std::vector<chain::RemoteLedger::Sent> sent;
};

Result<Joining> send_member(const LedgerPlace& ledger, const std::string& name, const SigningKey& key,
                            const std::function<Status()>& ended, const std::atomic<bool>& stop) {
  MUSTER_TRY(auto transport, wire::ZmqClient::connect(ledger.context, ledger.address, ledger.key, key));
  Joining member{std::make_unique<chain::RemoteLedger>(std::move(transport), ledger.key, key, ledger.netuid,
                                                       kLedgerWaitMs, &stop),
                 {}};
  Result<protocol::Metagraph> metagraph = Error{Errc::kTimeout, "the ledger was not asked"};
  for (int question = 0; question < kQuestions && !metagraph && !stop; ++question) {
    metagraph = member.client->metagraph();
    MUSTER_TRY_STATUS(ended());
  }
  if (!metagraph) return std::move(metagraph).error();
  const bool validator = name.starts_with("validator");
  MUSTER_TRY(member.sent, member.client->send_registration(validator ? Role::kValidator : Role::kMiner));
  const bool has_stake = std::any_of(metagraph->neurons.begin(), metagraph->neurons.end(), [&](const auto& neuron) {
    return neuron.hotkey == key.public_key() && neuron.stake > 0;
  });
  if (!validator || has_stake) return member;
  MUSTER_TRY(auto staked, member.client->send(chain::AddStake{key.public_key(), ledger.netuid, kValidatorStake}));
  member.sent.push_back(std::move(staked));
  return member;
}

}  // namespace

Result<std::unique_ptr<chain::RemoteLedger>> register_members(const LedgerPlace& ledger,
                                                              const std::map<std::string, SigningKey>& keys,
                                                              const std::function<Status()>& ended,
                                                              const std::atomic<bool>& stop) {
  std::unique_ptr<chain::RemoteLedger> last;
  std::vector<Joining> joining;
  const auto confirm = [&]() -> Status {
    for (const Joining& member : joining) MUSTER_TRY_STATUS(member.client->confirm_all(member.sent));
    if (!joining.empty()) last = std::move(joining.back().client);
    joining.clear();
    return {};
  };
  for (const auto& [name, key] : keys) {
    MUSTER_TRY(auto member, send_member(ledger, name, key, ended, stop));
    joining.push_back(std::move(member));
    if (joining.size() == kJoiningMax) MUSTER_TRY_STATUS(confirm());
  }
  MUSTER_TRY_STATUS(confirm());
  return last;
}

}  // namespace muster::cli
