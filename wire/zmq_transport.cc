#include "wire/zmq_transport.h"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <zmq.hpp>

#include "base/key.h"

namespace muster::wire {
namespace {

constexpr int kHeartbeatMs = 2'000;
constexpr int kHeartbeatTimeoutMs = 10'000;
constexpr int kHandshakeMs = 3'000;
constexpr int kReconnectMs = 100;
constexpr int kReconnectMaxMs = 2'000;
constexpr int kLingerMs = 500;
constexpr std::size_t kCurveOverheadBytes = 64;  // ZeroMQ counts the enciphered message

zmq::const_buffer buffer_of(ByteSpan bytes) { return zmq::buffer(bytes.data(), bytes.size()); }

std::string text_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

}  // namespace

// Answers every handshake of the context (ZeroMQ RFC 27). It must always answer, or handshakes hang.
struct ZmqContext::Implementation {
  zmq::context_t context{1};
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Admission>> admissions;  // by ZAP domain
  std::atomic<std::uint64_t> next_domain{0};
  zmq::socket_t stop{context, zmq::socket_type::pair};
  std::thread thread;

  Implementation() {
    zmq::socket_t handler(context, zmq::socket_type::rep);
    handler.bind("inproc://zeromq.zap.01");
    zmq::socket_t stopped(context, zmq::socket_type::pair);
    stopped.bind("inproc://muster.zap.stop");
    stop.connect("inproc://muster.zap.stop");
    thread = std::thread([this, handler = std::move(handler),
                          stopped = std::move(stopped)]() mutable { serve(handler, stopped); });
  }

  ~Implementation() {
    stop.send(zmq::buffer("x", 1), zmq::send_flags::none);
    thread.join();
  }

  void serve(zmq::socket_t& handler, zmq::socket_t& stopped) {
    for (;;) {
      zmq::pollitem_t items[] = {{handler.handle(), 0, ZMQ_POLLIN, 0},
                                 {stopped.handle(), 0, ZMQ_POLLIN, 0}};
      try {
        zmq::poll(items, 2, std::chrono::milliseconds(-1));
      } catch (const zmq::error_t& error) {
        if (error.num() == EINTR) continue;
        return;
      }
      if (items[1].revents != 0) return;
      if (items[0].revents != 0) answer(handler);
    }
  }

  void answer(zmq::socket_t& handler) {
    std::vector<zmq::message_t> frames;
    do {
      frames.emplace_back();
      if (!handler.recv(frames.back(), zmq::recv_flags::none)) return;
    } while (frames.back().more());
    const auto identity = decide(frames);
    const std::string request = frames.size() > 1 ? text_of(frames[1]) : "";
    const std::string user = identity ? identity->hex() : "";
    // 300, a temporary failure: after 400 a client of libzmq 4.3.4 never tries again, and who is not on
    // the list now may be once it is read from the ledger.
    const std::array<std::string, 6> reply{"1.0", request, identity ? "200" : "300",
                                           identity ? "OK" : "not admitted", user, ""};
    for (std::size_t i = 0; i < reply.size(); ++i)
      handler.send(zmq::buffer(reply[i]),
                   i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }

  // Frames: version, request id, domain, address, identity, mechanism, CURVE key.
  std::optional<PublicKey> decide(const std::vector<zmq::message_t>& frames) {
    if (frames.size() != 7 || text_of(frames[5]) != "CURVE") return std::nullopt;
    CurveKey key{};
    if (frames[6].size() != key.size()) return std::nullopt;
    std::memcpy(key.data(), frames[6].data(), key.size());
    std::shared_ptr<Admission> admission;
    {
      const std::lock_guard lock(mutex);
      const auto found = admissions.find(text_of(frames[2]));
      if (found == admissions.end()) return std::nullopt;
      admission = found->second;
    }
    return admission->admit(key);
  }
};

ZmqContext::ZmqContext() : implementation_(std::make_unique<Implementation>()) {}
ZmqContext::~ZmqContext() = default;

namespace {

void set_common_options(zmq::socket_t& socket, const ZmqOptions& options) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options.message_bytes_max + kCurveOverheadBytes));
  socket.set(zmq::sockopt::sndhwm, options.queued_messages_max);
  socket.set(zmq::sockopt::rcvhwm, options.queued_messages_max);
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeoutMs);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::linger, kLingerMs);
}

void set_own_keys(zmq::socket_t& socket, const SigningKey& key) {
  const CurveKeyPair pair = curve_key_pair(key);
  socket.set(zmq::sockopt::curve_publickey, zmq::buffer(pair.public_key));
  socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(pair.secret_key));
}

// True when `socket` has something to read; waits for it, the timeout or the wake descriptor.
Result<bool> wait(zmq::socket_t& socket, int timeout_ms, int wake_fd) {
  zmq::pollitem_t items[] = {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_fd, ZMQ_POLLIN, 0}};
  try {
    zmq::poll(items, wake_fd < 0 ? 1 : 2, std::chrono::milliseconds(timeout_ms));
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR) return false;
    return Error{Errc::kIo, std::string("ZeroMQ: ") + error.what()};
  }
  return (items[0].revents & ZMQ_POLLIN) != 0;
}

Bytes bytes_of_frame(const zmq::message_t& frame) {
  const auto* data = static_cast<const std::uint8_t*>(frame.data());
  return {data, data + frame.size()};
}

// Reads the rest of a message that has more frames than it should.
void discard_rest(zmq::socket_t& socket, const zmq::message_t& last) {
  bool more = last.more();
  while (more) {
    zmq::message_t frame;
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) return;
    more = frame.more();
  }
}

Error address_error(const std::string& address, const zmq::error_t& error) {
  if (error.num() == EADDRINUSE) {
    return {Errc::kAlreadyExists,
            address + " is in use by another process; stop it or choose another port"};
  }
  return {Errc::kInvalidArgument, address + ": " + error.what()};
}

}  // namespace

// ---- server

struct ZmqServer::Implementation {
  ZmqContext::Implementation& context;
  std::string domain;
  zmq::socket_t socket;
  std::string address;
  std::size_t message_bytes_max;
  std::map<PublicKey, std::string> routes;  // the newest connection of each identity

  ~Implementation() {
    const std::lock_guard lock(context.mutex);
    context.admissions.erase(domain);
  }
};

ZmqServer::ZmqServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ZmqServer::~ZmqServer() = default;
const std::string& ZmqServer::address() const { return implementation_->address; }

Result<std::unique_ptr<ZmqServer>> ZmqServer::listen(ZmqContext& context,
                                                     const std::string& address,
                                                     const SigningKey& key,
                                                     std::shared_ptr<Admission> admission,
                                                     const ZmqOptions& options) {
  auto& shared = context.implementation();
  const std::string domain = "muster-" + std::to_string(shared.next_domain++);
  try {
    zmq::socket_t socket(shared.context, zmq::socket_type::router);
    set_common_options(socket, options);
    set_own_keys(socket, key);
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::zap_domain, domain);
    socket.set(zmq::sockopt::router_mandatory, true);
    {
      const std::lock_guard lock(shared.mutex);
      shared.admissions[domain] = std::move(admission);
    }
    socket.bind(address);
    const std::string bound = socket.get(zmq::sockopt::last_endpoint);
    return std::unique_ptr<ZmqServer>(new ZmqServer(std::unique_ptr<Implementation>(
        new Implementation{shared, domain, std::move(socket), bound, options.message_bytes_max,
                           {}})));
  } catch (const zmq::error_t& error) {
    return address_error(address, error);
  }
}

Status ZmqServer::send(const PublicKey& to, ByteSpan message) {
  if (message.size() > implementation_->message_bytes_max)
    return Error{Errc::kTooLarge, "a message of " + std::to_string(message.size()) + " bytes"};
  const auto route = implementation_->routes.find(to);
  if (route == implementation_->routes.end())
    return Error{Errc::kNotFound, "peer " + to.brief() + " is not connected"};
  try {
    zmq::socket_t& socket = implementation_->socket;
    const auto flags = zmq::send_flags::dontwait;
    if (!socket.send(zmq::buffer(route->second), flags | zmq::send_flags::sndmore))
      return Error{Errc::kClosed, "peer " + to.brief() + " does not read; message dropped"};
    (void)socket.send(buffer_of(message), flags);
    return {};
  } catch (const zmq::error_t& error) {
    if (error.num() != EHOSTUNREACH) return Error{Errc::kIo, error.what()};
    implementation_->routes.erase(route);
    return Error{Errc::kNotFound, "peer " + to.brief() + " has gone"};
  }
}

Result<std::optional<Incoming>> ZmqServer::receive(int timeout_ms, int wake_fd) {
  zmq::socket_t& socket = implementation_->socket;
  MUSTER_TRY(const bool readable, wait(socket, timeout_ms, wake_fd));
  if (!readable) return std::optional<Incoming>();
  zmq::message_t route, body;
  if (!socket.recv(route, zmq::recv_flags::dontwait) || !route.more())
    return std::optional<Incoming>();
  if (!socket.recv(body, zmq::recv_flags::dontwait)) return std::optional<Incoming>();
  if (body.more()) {
    discard_rest(socket, body);
    return std::optional<Incoming>();
  }
  PublicKey from;
  try {
    const auto raw = from_hex(body.gets("User-Id"));
    if (!raw || raw->size() != from.bytes.size()) return std::optional<Incoming>();
    std::copy(raw->begin(), raw->end(), from.bytes.begin());
  } catch (const zmq::error_t&) {
    return std::optional<Incoming>();  // a message without the channel's identity
  }
  implementation_->routes[from] = text_of(route);
  return std::optional<Incoming>(Incoming{from, bytes_of_frame(body)});
}

// ---- client

struct ZmqClient::Implementation {
  PublicKey server;
  zmq::socket_t socket;
  std::size_t message_bytes_max;
};

ZmqClient::ZmqClient(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ZmqClient::~ZmqClient() = default;

Result<std::unique_ptr<ZmqClient>> ZmqClient::connect(ZmqContext& context,
                                                      const std::string& address,
                                                      const PublicKey& server,
                                                      const SigningKey& key,
                                                      const ZmqOptions& options) {
  MUSTER_TRY(const CurveKey server_key, curve_public_key(server));
  try {
    zmq::socket_t socket(context.implementation().context, zmq::socket_type::dealer);
    set_common_options(socket, options);
    set_own_keys(socket, key);
    socket.set(zmq::sockopt::curve_serverkey, zmq::buffer(server_key));
    socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
    socket.connect(address);
    return std::unique_ptr<ZmqClient>(new ZmqClient(std::unique_ptr<Implementation>(
        new Implementation{server, std::move(socket), options.message_bytes_max})));
  } catch (const zmq::error_t& error) {
    return address_error(address, error);
  }
}

Status ZmqClient::send(const PublicKey& to, ByteSpan message) {
  if (to != implementation_->server)
    return Error{Errc::kNotFound, "peer " + to.brief() + " is not the server of this connection"};
  if (message.size() > implementation_->message_bytes_max)
    return Error{Errc::kTooLarge, "a message of " + std::to_string(message.size()) + " bytes"};
  try {
    if (!implementation_->socket.send(buffer_of(message), zmq::send_flags::dontwait))
      return Error{Errc::kClosed, "the server does not read; message dropped"};
    return {};
  } catch (const zmq::error_t& error) {
    return Error{Errc::kIo, error.what()};
  }
}

Result<std::optional<Incoming>> ZmqClient::receive(int timeout_ms, int wake_fd) {
  zmq::socket_t& socket = implementation_->socket;
  MUSTER_TRY(const bool readable, wait(socket, timeout_ms, wake_fd));
  zmq::message_t body;
  if (!readable || !socket.recv(body, zmq::recv_flags::dontwait)) return std::optional<Incoming>();
  if (body.more()) {
    discard_rest(socket, body);
    return std::optional<Incoming>();
  }
  return std::optional<Incoming>(Incoming{implementation_->server, bytes_of_frame(body)});
}

}  // namespace muster::wire
