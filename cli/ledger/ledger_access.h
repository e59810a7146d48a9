// LedgerAccess: how the ledger commands reach a daemon, whose key signs, and how accounts are
// named.
//
// Thread safety: values.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "chain/service/remote_ledger.h"
#include "cli/options.h"
#include "wire/zmq_transport.h"

namespace muster::cli {

struct LedgerAccess {
  std::string run = "runs/quickstart";
  std::string address = "tcp://127.0.0.1:27600";
  std::string ledger_key;     // SS58, hex or a key file; default: keys/ledger of the run
  std::string key = "owner";  // a key file, or the name of a key of the run
  bool json = false;
};

void add_ledger_access(Command command, LedgerAccess& access);

// An account by its SS58 address, its hex, a key file, or the name of a key of the run. Errors:
// kInvalidArgument.
[[nodiscard]] Result<PublicKey> account_named(const LedgerAccess& access, const std::string& text);

// The subnet of the run in `access.run`. Errors: those of read_params, with what to give instead.
[[nodiscard]] Result<chain::Netuid> netuid_of_run(const LedgerAccess& access);

// A client with the context that its sockets live in.
struct LedgerConnection {
  std::unique_ptr<wire::ZmqContext> context;
  std::unique_ptr<chain::RemoteLedger> ledger;
  PublicKey account;  // of the key that signs
};
// `stop` ends its waits.
[[nodiscard]] Result<LedgerConnection> connect(const LedgerAccess& access,
                                               const std::atomic<bool>* stop = nullptr,
                                               chain::Netuid netuid = 0);

// Signs, submits, waits until a durable block holds the call, and says so. Errors: those of
// RemoteLedger::submit.
[[nodiscard]] Result<int> submit_and_wait(const LedgerAccess& access,
                                          const chain::RuntimeCall& call,
                                          const std::atomic<bool>& stop);

}  // namespace muster::cli
