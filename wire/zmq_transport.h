// ZeroMQ transports: ROUTER for who serves, DEALER for who connects, CURVE always on.
//
// A node's CURVE key is its mapped hotkey, so the channel proves the identity. Use one ZmqContext per
// process (libzmq 4.3.4 can crash others when one with CURVE closes) and close it last.
// Thread safety: ZmqContext from anywhere, each transport from one thread.
#pragma once

#include <memory>
#include <string>

#include "wire/admission.h"
#include "wire/transport.h"

namespace muster::wire {

class ZmqContext {
 public:
  // Handshakes of all servers in this context are decided by `admission`, by ZAP domain.
  ZmqContext();
  ~ZmqContext();
  ZmqContext(const ZmqContext&) = delete;

  struct Implementation;
  [[nodiscard]] Implementation& implementation() { return *implementation_; }

 private:
  std::unique_ptr<Implementation> implementation_;
};

struct ZmqOptions {
  std::size_t message_bytes_max = 2u << 20;
  int queued_messages_max = 1024;
};

// Listens on e.g. "tcp://127.0.0.1:7000"; port 0 or '*' picks a free one.
// Errors: kAlreadyExists (the port is in use), kInvalidArgument (the address).
class ZmqServer final : public Transport {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ZmqServer>> listen(
      ZmqContext& context, const std::string& address, const SigningKey& key,
      std::shared_ptr<Admission> admission, const ZmqOptions& options = {});
  ~ZmqServer() override;
  // The address with the port in use.
  [[nodiscard]] const std::string& address() const;

  Status send(const PublicKey& to, ByteSpan message) override;
  Result<std::optional<Incoming>> receive(int timeout_ms, int wake_fd = -1) override;

 private:
  struct Implementation;
  explicit ZmqServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// Connects to one server and reconnects by itself; `send` must be to the server's key.
class ZmqClient final : public Transport {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ZmqClient>> connect(
      ZmqContext& context, const std::string& address, const PublicKey& server,
      const SigningKey& key, const ZmqOptions& options = {});
  ~ZmqClient() override;

  Status send(const PublicKey& to, ByteSpan message) override;
  Result<std::optional<Incoming>> receive(int timeout_ms, int wake_fd = -1) override;

 private:
  struct Implementation;
  explicit ZmqClient(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace muster::wire
