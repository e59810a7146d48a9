// MemoryTransport: a transport within one process, for tests and simulation.
//
// Thread safety: a MemoryHub's transports may be used from different threads.
#pragma once

#include <map>
#include <memory>

#include "base/mailbox.h"
#include "wire/transport.h"

namespace muster::wire {

// Connects transports by hotkey. Create it first and keep it longest.
class MemoryHub {
 public:
  [[nodiscard]] std::unique_ptr<Transport> join(const PublicKey& hotkey);

 private:
  friend class MemoryTransport;
  std::mutex mutex_;
  // Shared with the transport, which may leave while another thread sends to it.
  std::map<PublicKey, std::shared_ptr<Mailbox<Incoming>>> boxes_;
};

}  // namespace muster::wire
