// MinerService: the miner's core with sockets, disk and a trainer around it.
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
#include "miner/miner.h"
#include "protocol/anchor.h"
#include "protocol/journal.h"
#include "protocol/ledger_client.h"
#include "wire/blob_endpoint.h"

namespace muster::miner {

struct ServiceParts {
  protocol::ProtocolParams params;
  SigningKey key;
  Config config;
  std::shared_ptr<Conduct> conduct;  // shared with the core
  std::unique_ptr<protocol::InnerLoop> trainer;
  std::filesystem::path trainer_file;  // its saved state; loaded when it is there
  std::function<Result<std::vector<float>>()> initial_theta;  // of the run
  std::unique_ptr<protocol::LedgerClient> ledger;  // asked for stakes when a checkpoint is offered
  std::unique_ptr<wire::Transport> transport;
  std::unique_ptr<wire::Transport> blob_transport;
  std::unique_ptr<protocol::Journal> journal;
  std::filesystem::path outbox;  // folder of this round's upload, kept across a restart
  Logger logger;
  EventSink events;
  Failpoints failpoints;
  std::filesystem::path restored =
      {};  // a file that marks a restored copy; removed when the copy has caught up
};

// Runs until the coordinator says that the run is over, or `stop`.
// Errors: a damaged journal or trainer file, kNoSpace, kIo, kConflict (the coordinator broke its
// word or this node's state is not the attested one; the message says which).
[[nodiscard]] Status run_service(ServiceParts parts, const std::atomic<bool>& stop);

}  // namespace muster::miner
