#include "cli/ledger/ledger_access.h"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/key.h"
#include "chain/codec/ss58.h"
#include "cli/json_text.h"
#include "cli/run_folder.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

fs::path key_path(const LedgerAccess& access, const std::string& name) {
  const fs::path of_run = RunFolder{access.run}.key_file(name);
  return name.find('/') == std::string::npos && fs::exists(of_run) ? of_run : fs::path(name);
}

}  // namespace

void add_ledger_access(Command command, LedgerAccess& access) {
  command.add_option("--run", access.run, "Folder of a run: its keys can be named").show_default();
  command.add_option("--ledger", access.address, "Address of the ledger").show_default();
  command.add_option("--ledger-key", access.ledger_key,
                     "The ledger's key: SS58, hex or a file; default: the run's");
  command.add_option("--key", access.key, "Key that signs: a file, or a name of the run's")
      .show_default();
  command.add_flag("--json", access.json, "For scripts; amounts in rao");
}

Result<PublicKey> account_named(const LedgerAccess& access, const std::string& text) {
  if (fs::is_regular_file(key_path(access, text))) {
    MUSTER_TRY(const SigningKey key, read_key_file(key_path(access, text)));
    return key.public_key();
  }
  if (const auto raw = hash_from_hex(text)) return PublicKey{raw->bytes};
  auto account = chain::account_of_address(text);
  if (!account)
    return Error{Errc::kInvalidArgument,
                 "'" + text + "' names no account: it is no key file, no key of " + access.run +
                     ", no hex, and as an address: " + account.error().message};
  return account;
}

Result<chain::Netuid> netuid_of_run(const LedgerAccess& access) {
  const auto params = read_params(RunFolder{access.run});
  if (!params)
    return Error{params.error().code,
                 "which subnet? Give its number, or --run: " + params.error().message};
  return params->netuid;
}

Result<LedgerConnection> connect(const LedgerAccess& access, const std::atomic<bool>* stop,
                                 chain::Netuid netuid) {
  MUSTER_TRY(const PublicKey server,
             account_named(access, access.ledger_key.empty() ? "ledger" : access.ledger_key));
  MUSTER_TRY(const SigningKey key, read_key_file(key_path(access, access.key)));
  auto context = std::make_unique<wire::ZmqContext>();
  MUSTER_TRY(auto transport, wire::ZmqClient::connect(*context, access.address, server, key));
  auto ledger =
      std::make_unique<chain::RemoteLedger>(std::move(transport), server, key, netuid, 5'000, stop);
  return LedgerConnection{std::move(context), std::move(ledger), key.public_key()};
}

Result<int> submit_and_wait(const LedgerAccess& access, const chain::RuntimeCall& call,
                            const std::atomic<bool>& stop) {
  MUSTER_TRY(auto connection, connect(access, &stop));
  MUSTER_TRY(const auto receipt, connection.ledger->submit(call));
  const std::string name(chain::id_of(call).name);
  if (access.json) {
    const nlohmann::ordered_json json{{"call", name},
                                      {"block", receipt.block},
                                      {"hash", receipt.hash.hex()},
                                      {"fee_rao", receipt.fee_rao}};
    std::printf("%s\n", json_text(json, 2).c_str());
  } else {
    std::printf("%s in block %llu, fee %s TAO\n", name.c_str(),
                static_cast<unsigned long long>(receipt.block), exact_tao(receipt.fee_rao).c_str());
  }
  return 0;
}

}  // namespace muster::cli
