// muster ledger register: a uid for a hotkey, and what the hotkey still needs to validate.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "chain/runtime/views.h"
#include "cli/json_text.h"
#include "cli/ledger/ledger_access.h"
#include "cli/ledger/ledger_commands.h"
#include "cli/ledger/validator_needs.h"

namespace muster::cli {
namespace {

struct RegisterOptions : LedgerAccess {
  std::optional<chain::Netuid> netuid;
  std::string hotkey;
};

Result<chain::Netuid> netuid_of(const RegisterOptions& options) {
  if (options.netuid) return *options.netuid;
  return netuid_of_run(options);
}

// A uid for another's hotkey or on root, paid by the signing key's account.
Result<int> buy_uid(const RegisterOptions& options, chain::Netuid netuid, const PublicKey& hotkey,
                    const std::atomic<bool>& stop) {
  const chain::RuntimeCall call = netuid == 0
                                      ? chain::RuntimeCall{chain::RootRegister{hotkey}}
                                      : chain::RuntimeCall{chain::BurnedRegister{netuid, hotkey}};
  return submit_and_wait(options, call, stop);
}

// A uid for the signing key itself, unless it has one.
Result<int> register_self(const RegisterOptions& options, chain::Netuid netuid,
                          const std::atomic<bool>& stop) {
  MUSTER_TRY(auto connection, connect(options, &stop, netuid));
  MUSTER_TRY_STATUS(connection.ledger->register_neuron());
  MUSTER_TRY(const auto metagraph, connection.ledger->metagraph());
  const auto own =
      std::ranges::find(metagraph.neurons, connection.account, &protocol::Neuron::hotkey);
  if (own == metagraph.neurons.end())
    return Error{Errc::kConflict,
                 "registered, and replaced at once by another registration; the subnet is full"};
  const auto needs = validator_needs(metagraph, *own);
  if (options.json) {
    const nlohmann::ordered_json json{{"netuid", netuid},
                                      {"uid", own->uid.value},
                                      {"stake_rao", own->stake},
                                      {"permit", own->permit},
                                      {"needs", needs}};
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf("registered on subnet %u: uid %u\n", netuid, own->uid.value);
  for (const std::string& need : needs)
    std::printf("to validate it still needs %s\n", need.c_str());
  return 0;
}

Result<int> register_hotkey(const RegisterOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const chain::Netuid netuid, netuid_of(options));
  MUSTER_TRY(const PublicKey signer, account_named(options, options.key));
  MUSTER_TRY(const PublicKey hotkey,
             account_named(options, options.hotkey.empty() ? options.key : options.hotkey));
  return netuid == 0 || hotkey != signer ? buy_uid(options, netuid, hotkey, stop)
                                         : register_self(options, netuid, stop);
}

}  // namespace

void add_register(Command ledger) {
  auto options = std::make_shared<RegisterOptions>();
  const Command command = ledger.add_command(
      "register", "Buy a hotkey a uid on a subnet, and say what it still needs to validate");
  add_ledger_access(command, *options);
  command.add_option("netuid", options->netuid, "Number of the subnet; default: the run's");
  command.add_option("--hotkey", options->hotkey,
                     "Who is registered; default: the signing key, which is not registered twice");
  command.footer(
      "Examples: muster ledger register 1 --hotkey hot.key --key cold.key\n"
      "          muster ledger register --run runs/mine --key validator-1");
  command.action(
      [options](const std::atomic<bool>& stop) { return register_hotkey(*options, stop); });
}

}  // namespace muster::cli
