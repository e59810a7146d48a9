// muster ledger register: a uid for a hotkey, and the role that it has in a training network.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "chain/runtime/views.h"
#include "cli/json_text.h"
#include "cli/ledger/ledger_access.h"
#include "cli/ledger/ledger_commands.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

struct RegisterOptions : LedgerAccess {
  std::optional<chain::Netuid> netuid;
  std::string hotkey, role;
};

Result<chain::Netuid> netuid_of(const RegisterOptions& options) {
  if (options.netuid) return *options.netuid;
  return netuid_of_run(options);
}

// A uid only, paid by the signing key's account for whichever hotkey.
Result<int> buy_uid(const RegisterOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const chain::Netuid netuid, netuid_of(options));
  MUSTER_TRY(const PublicKey hotkey, account_named(options, options.hotkey.empty() ? options.key : options.hotkey));
  const chain::RuntimeCall call = netuid == 0 ? chain::RuntimeCall{chain::RootRegister{hotkey}}
                                              : chain::RuntimeCall{chain::BurnedRegister{netuid, hotkey}};
  return submit_and_wait(options, call, stop);
}

// What a validator still needs before its weights count, one sentence each.
std::vector<std::string> lacks_of(const protocol::Metagraph& metagraph, const protocol::Neuron& own) {
  std::vector<std::string> lacks;
  if (own.role != Role::kValidator) return lacks;
  if (own.stake < metagraph.stake_min)
    lacks.push_back("stake: weights need " + exact_tao(metagraph.stake_min) + " alpha, it has " + exact_tao(own.stake) +
                    "; `muster ledger stake add` buys some");
  else if (own.stake == 0)
    lacks.push_back("stake: none yet, and a permit goes to the largest; `muster ledger stake add` buys some");
  if (!own.permit)
    lacks.push_back("permit: comes with an epoch, to the largest stakes; the next one is at block " +
                    std::to_string(metagraph.next_epoch_block) + ", now is block " + std::to_string(metagraph.block));
  return lacks;
}

Result<int> take_role(const RegisterOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const chain::Netuid netuid, netuid_of(options));
  MUSTER_TRY(auto connection, connect(options, &stop, netuid));
  if (!options.hotkey.empty()) {
    MUSTER_TRY(const PublicKey hotkey, account_named(options, options.hotkey));
    if (hotkey != connection.account)
      return Error{Errc::kInvalidArgument, "a hotkey declares its role itself: give its key with --key, without --hotkey"};
  }
  const Role role = options.role == "validator" ? Role::kValidator : Role::kMiner;
  MUSTER_TRY_STATUS(connection.ledger->register_neuron(role));
  MUSTER_TRY(const auto metagraph, connection.ledger->metagraph());
  const auto own = std::ranges::find(metagraph.neurons, connection.account, &protocol::Neuron::hotkey);
  if (own == metagraph.neurons.end())
    return Error{Errc::kConflict, "registered, and replaced at once by another registration; the subnet is full"};
  const auto lacks = lacks_of(metagraph, *own);
  if (options.json) {
    const nlohmann::ordered_json json{{"netuid", netuid},          {"uid", own->uid.value},
                                      {"role", name_of(own->role)}, {"stake_rao", own->stake},
                                      {"permit", own->permit},      {"lacks", lacks}};
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf("registered on subnet %u: uid %u, %s\n", netuid, own->uid.value, std::string(name_of(own->role)).c_str());
  for (const std::string& lack : lacks) std::printf("still lacks %s\n", lack.c_str());
  return 0;
}

}  // namespace

void add_register(CLI::App& ledger, Action& chosen) {
  auto options = std::make_shared<RegisterOptions>();
  auto* command = ledger.add_subcommand("register", "Buy a hotkey a uid on a subnet, and declare its role");
  add_ledger_access(*command, *options);
  command->add_option("netuid", options->netuid, "Number of the subnet; default: the run's");
  command->add_option("--hotkey", options->hotkey, "Who is registered; default: the signing key");
  command->add_option("--role", options->role,
                      "What the hotkey is in a training network: declared on the ledger by the hotkey itself (--key). A uid "
                      "that is there already is not bought again")
      ->check(CLI::IsMember({"validator", "miner"}));
  command->footer("Examples: muster ledger register 1 --hotkey hot.key --key cold.key\n"
                  "          muster ledger register --run runs/mine --role validator --key validator-1");
  command->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) {
      return options->role.empty() ? buy_uid(*options, stop) : take_role(*options, stop);
    };
  });
}

}  // namespace muster::cli
