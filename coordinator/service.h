// CoordinatorService: the coordinator's core with sockets, disk and the ledger around it.
//
// Thread safety: run() on one thread; `stop` may be set from any, a signal handler included.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/event.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "coordinator/coordinator.h"
#include "protocol/journal.h"
#include "protocol/ledger_client.h"
#include "wire/blob_endpoint.h"
#include "wire/shared_key.h"
#include "wire/transport.h"

namespace muster::coordinator {

struct ServiceParts {
  protocol::ProtocolParams params;
  SigningKey key;
  Config config;
  std::function<Result<std::vector<float>>()> initial_theta;  // of the run
  std::filesystem::path model_folder;                         // of the mapped working files
  std::unique_ptr<wire::Transport> transport;                 // serves control messages
  std::unique_ptr<wire::Transport> blob_transport;            // serves blobs
  std::unique_ptr<protocol::Journal> journal;
  wire::BlobStore& blobs;  // checkpoints, aggregates, seal records
  wire::BlobStore&
      payloads;  // uploads, in a store of their own: nothing that a peer names can touch the others
  std::unique_ptr<protocol::LedgerClient> ledger;
  // Told of the hotkeys that may connect, whenever the ledger's list changes.
  std::function<void(const std::set<PublicKey>&)> admit;
  Logger logger;
  EventSink events;
  Failpoints failpoints;
  std::uint32_t ledger_poll_ms = 1000;
  std::uint32_t linger_ms = 3000;  // after the last round: for nodes that have not heard of it
  // Hotkeys that two processes use at the same time, found since the last call; empty: not known.
  std::function<std::vector<wire::SharedKey>()> shared_keys = {};
  std::filesystem::path restored =
      {};  // a file that marks a rebuilt folder; removed with the first round that is sealed
};

// Runs until the run has had its rounds, or `stop`.
// Errors: kConflict and the like from a damaged journal, kNoSpace, kIo.
[[nodiscard]] Status run_service(ServiceParts parts, const std::atomic<bool>& stop);

}  // namespace muster::coordinator
