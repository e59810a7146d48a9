// How the members of a local network get onto its ledger.
//
// Thread safety: none.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "chain/service/remote_ledger.h"
#include "wire/zmq_transport.h"

namespace muster::cli {

struct LedgerPlace {
  wire::ZmqContext& context;
  std::string address;
  PublicKey key;
  chain::Netuid netuid = 1;
};

// Everybody of `keys`, by name, who is not on the ledger yet registers. Many share a block, and all
// are in durable blocks when it returns a client of one of them. `ended`: an error once the
// ledger's process is gone. Errors: those of the ledger and of `ended`; kCancelled.
[[nodiscard]] Result<std::unique_ptr<chain::RemoteLedger>> register_members(
    const LedgerPlace& ledger, const std::map<std::string, SigningKey>& keys,
    const std::function<Status()>& ended, const std::atomic<bool>& stop);

}  // namespace muster::cli
