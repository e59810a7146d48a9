// ZeroMQ transports: ROUTER for who serves, DEALER for who connects, CURVE always on.
//
// A node's CURVE key is its mapped hotkey, so the channel proves the identity. The library is
// patched (docs/upstream/libzmq-router.md): what a peer makes a server hold is bounded per
// connection, key and address before it is allocated. Use one ZmqContext per process (libzmq 4.3.4
// can crash others when one with CURVE closes) and close it last. Thread safety: ZmqContext from
// anywhere, each transport from one thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/limits.h"
#include "wire/admission.h"
#include "wire/peer_budget.h"
#include "wire/shared_key.h"
#include "wire/transport.h"

namespace muster::wire {

class ZmqContext {
 public:
  // Handshakes of all servers in this context are decided by `admission`, by ZAP domain. Needs
  // about 16 file descriptors (base/descriptors.h); without them libzmq throws zmq::error_t.
  ZmqContext();
  ~ZmqContext();
  ZmqContext(const ZmqContext&) = delete;

  struct Implementation;
  [[nodiscard]] Implementation& implementation() { return *implementation_; }

 private:
  std::unique_ptr<Implementation> implementation_;
};

struct ZmqOptions {
  std::size_t message_bytes_max = limits::kMessageBytesMax;   // of a message that is sent
  std::size_t incoming_bytes_max = limits::kMessageBytesMax;  // of one that is taken
  int queued_messages_max = limits::kQueuedMessagesMax;       // per connection and direction
  int queued_bytes_max = limits::kQueuedBytesMax;             // the same

  // The rest is for servers only. Connections in all, of one address, of one key:
  int connections_max = limits::kConnectionsMax;
  int connections_per_address_max = limits::kConnectionsPerAddressMax;
  int connections_per_key_max = limits::kConnectionsPerKeyMax;
  int accepts_per_second_max = limits::kAcceptsPerSecondMax;  // of one address
  // What one key may send; over it nothing is read from that key until the time is there.
  PeerBudget per_peer{{limits::kPeerMessagesPerSecond, limits::kPeerMessagesBurst},
                      {limits::kPeerBytesPerSecond, limits::kPeerBytesBurst}};
  // What all keys of one address may send together; no bound unless set. For services that admit
  // everybody.
  PeerBudget per_address{};
  const Clock* clock = nullptr;  // nullptr: the machine's
};

// For a server that admits everybody and takes requests of at most `request_bytes_max` bytes: keys
// cost nothing there, so an address has a budget too, and little waits for each connection.
[[nodiscard]] ZmqOptions options_for_everybody(std::size_t request_bytes_max);

// Listens on e.g. "tcp://127.0.0.1:7000", "tcp://[::1]:7000", "tcp://localhost:7000", or on all
// addresses of both kinds with "tcp://*:7000"; port 0 or '*' picks a free one. Errors:
// kAlreadyExists (the port is in use), kInvalidArgument (the address), kNoDescriptors.
class ZmqServer final : public Transport {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ZmqServer>> listen(
      ZmqContext& context, const std::string& address, const SigningKey& key,
      std::shared_ptr<Admission> admission, const ZmqOptions& options = {});
  ~ZmqServer() override;
  // The (first) address with the port in use.
  [[nodiscard]] const std::string& address() const;
  // Found since the last call.
  [[nodiscard]] std::vector<SharedKey> take_shared_keys();

  Status send(const PublicKey& to, ByteSpan message) override;
  Result<std::optional<Incoming>> receive(int timeout_ms, int wake_fd = -1) override;

 private:
  struct Implementation;
  explicit ZmqServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// Connects to one server and reconnects by itself; `send` must be to the server's key. A name is
// looked up again at every attempt, and all of its addresses are tried. Errors: kInvalidArgument
// (the address), kNoDescriptors.
class ZmqClient final : public Transport {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ZmqClient>> connect(ZmqContext& context,
                                                                  const std::string& address,
                                                                  const PublicKey& server,
                                                                  const SigningKey& key,
                                                                  const ZmqOptions& options = {});
  ~ZmqClient() override;

  Status send(const PublicKey& to, ByteSpan message) override;
  Result<std::optional<Incoming>> receive(int timeout_ms, int wake_fd = -1) override;

 private:
  struct Implementation;
  explicit ZmqClient(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace muster::wire
