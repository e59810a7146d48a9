// ValidatorService: the validator's core with sockets, disk, a loss probe and the ledger around it.
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
#include "protocol/journal.h"
#include "protocol/ledger_client.h"
#include "verify/validator.h"
#include "wire/blob_endpoint.h"

namespace muster::verify {

struct ServiceParts {
  protocol::ProtocolParams params;
  SigningKey key;
  Config config;
  std::unique_ptr<protocol::LossProbe> probe;
  std::filesystem::path state_file;  // θ and downlink residual; loaded when it is there
  std::function<Result<std::vector<float>>()> initial_theta;  // of the run
  std::unique_ptr<wire::Transport> transport;
  std::unique_ptr<wire::Transport> blob_transport;
  std::unique_ptr<protocol::Journal> journal;
  std::unique_ptr<protocol::LedgerClient> ledger;
  Logger logger;
  EventSink events;
  Failpoints failpoints;
  bool measure_held_out = false;  // after every round, for reports
  std::uint32_t ledger_poll_ms = 500;
  std::filesystem::path restored =
      {};  // a file that marks a restored copy; removed when the copy has caught up
};

// Runs until the run is over and its last weights are in force on the ledger, or `stop`.
// Errors: as the miner's service.
[[nodiscard]] Status run_service(ServiceParts parts, const std::atomic<bool>& stop);

}  // namespace muster::verify
