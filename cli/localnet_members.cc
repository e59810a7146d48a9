#include "cli/localnet_members.h"

namespace muster::cli {
namespace {

constexpr std::size_t kJoiningMax =
    32;  // members with a connection to the ledger at once, before the nodes start
constexpr int kLedgerWaitMs =
    2000;                       // per question; a ledger that cannot start is noticed in between
constexpr int kQuestions = 10;  // until it answers

// A member's client, and its registration where no block is known to hold it yet.
struct Joining {
  std::unique_ptr<chain::RemoteLedger> client;
  std::optional<chain::RemoteLedger::Sent> sent;
};

Result<Joining> send_member(const LedgerPlace& ledger, const SigningKey& key,
                            const std::function<Status()>& ended, const std::atomic<bool>& stop) {
  MUSTER_TRY(auto transport,
             wire::ZmqClient::connect(ledger.context, ledger.address, ledger.key, key));
  Joining member{std::make_unique<chain::RemoteLedger>(std::move(transport), ledger.key, key,
                                                       ledger.netuid, kLedgerWaitMs, &stop),
                 {}};
  Result<protocol::Metagraph> metagraph = Error{Errc::kTimeout, "the ledger was not asked"};
  for (int question = 0; question < kQuestions && !metagraph && !stop; ++question) {
    metagraph = member.client->metagraph();
    MUSTER_TRY_STATUS(ended());
  }
  if (!metagraph) return std::move(metagraph).error();
  MUSTER_TRY(member.sent, member.client->send_registration());
  return member;
}

}  // namespace

Result<std::unique_ptr<chain::RemoteLedger>> register_members(
    const LedgerPlace& ledger, const std::map<std::string, SigningKey>& keys,
    const std::function<Status()>& ended, const std::atomic<bool>& stop) {
  std::unique_ptr<chain::RemoteLedger> last;
  std::vector<Joining> joining;
  const auto confirm = [&]() -> Status {
    for (const Joining& member : joining)
      if (member.sent) MUSTER_TRY_STATUS(member.client->confirm(*member.sent));
    if (!joining.empty()) last = std::move(joining.back().client);
    joining.clear();
    return {};
  };
  for (const auto& [name, key] : keys) {
    MUSTER_TRY(auto member, send_member(ledger, key, ended, stop));
    joining.push_back(std::move(member));
    if (joining.size() == kJoiningMax) MUSTER_TRY_STATUS(confirm());
  }
  MUSTER_TRY_STATUS(confirm());
  return last;
}

}  // namespace muster::cli
