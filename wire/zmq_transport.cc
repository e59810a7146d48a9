#include "wire/zmq_transport.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/descriptors.h"
#include "base/key.h"
#include "wire/address.h"
#include "wire/zmq_internal.h"

#ifndef ZMQ_ROUTER_PAUSE
#error "zmq.h is the system's and not that of cmake/fetch_libzmq.sh"
#endif

namespace muster::wire {
namespace {

constexpr int kHeartbeatMs = 2'000;
constexpr int kHeartbeatTimeoutMs = 10'000;
constexpr int kHandshakeMs = 3'000;
constexpr int kReconnectMs = 100;
constexpr int kReconnectMaxMs = 2'000;
constexpr int kLingerMs = 500;
constexpr int kBacklog = 1024;
constexpr std::size_t kCurveOverheadBytes = 64;  // ZeroMQ counts the enciphered message
// Descriptors that are not for connections, and by how many listeners the others are shared.
constexpr std::uint64_t kDescriptorsKept = 96, kListeners = 3;

zmq::const_buffer buffer_of(ByteSpan bytes) { return zmq::buffer(bytes.data(), bytes.size()); }

// An option of the patched library, which zmq.hpp does not know.
void set_number(zmq::socket_t& socket, int option, int value) {
  if (::zmq_setsockopt(socket.handle(), option, &value, sizeof(value)) != 0) throw zmq::error_t();
}
// Errors: false when there is no connection with this routing id.
bool set_for_route(zmq::socket_t& socket, int option, const std::string& route) {
  return ::zmq_setsockopt(socket.handle(), option, route.data(), route.size()) == 0;
}

void set_common_options(zmq::socket_t& socket, const ZmqOptions& options) {
  socket.set(zmq::sockopt::maxmsgsize,
             static_cast<std::int64_t>(options.incoming_bytes_max + kCurveOverheadBytes));
  socket.set(zmq::sockopt::sndhwm, options.queued_messages_max);
  socket.set(zmq::sockopt::rcvhwm, options.queued_messages_max);
  set_number(socket, ZMQ_SNDHWM_BYTES, options.queued_bytes_max);
  set_number(socket, ZMQ_RCVHWM_BYTES, options.queued_bytes_max);
  set_number(socket, ZMQ_MAX_MESSAGE_FRAMES, 1);  // what both sides send has one frame
  set_number(socket, ZMQ_MAX_HANDSHAKE_BYTES, limits::kHandshakeBytesMax);
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeoutMs);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::linger, kLingerMs);
}

void set_server_options(zmq::socket_t& socket, const ZmqOptions& options) {
  const std::uint64_t limit = descriptor_limit();
  const std::uint64_t spare =
      limit > kDescriptorsKept ? (limit - kDescriptorsKept) / kListeners : 0;
  const auto connections = static_cast<int>(std::clamp<std::uint64_t>(
      spare, 8, static_cast<std::uint64_t>(std::max(8, options.connections_max))));
  set_number(socket, ZMQ_MAX_CONNECTIONS, connections);
  set_number(socket, ZMQ_MAX_CONNECTIONS_PER_ADDRESS, options.connections_per_address_max);
  set_number(socket, ZMQ_MAX_CONNECTIONS_PER_USER, options.connections_per_key_max);
  set_number(socket, ZMQ_MAX_ACCEPTS_PER_SECOND, options.accepts_per_second_max);
  socket.set(zmq::sockopt::backlog, kBacklog);
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::router_mandatory, true);
  socket.set(zmq::sockopt::affinity, kServersIoThread);
}

void set_own_keys(zmq::socket_t& socket, const SigningKey& key) {
  const CurveKeyPair pair = curve_key_pair(key);
  socket.set(zmq::sockopt::curve_publickey, zmq::buffer(pair.public_key));
  socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(pair.secret_key));
}

// Waits for something to read, the timeout or the wake descriptor.
struct Waited {
  bool readable = false, woken = false;
};
Result<Waited> wait(zmq::socket_t& socket, int timeout_ms, int wake_fd) {
  zmq::pollitem_t items[] = {{socket.handle(), 0, ZMQ_POLLIN, 0},
                             {nullptr, wake_fd, ZMQ_POLLIN, 0}};
  try {
    zmq::poll(items, wake_fd < 0 ? 1 : 2, std::chrono::milliseconds(timeout_ms));
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR) return Waited{false, true};
    return Error{Errc::kIo, std::string("ZeroMQ: ") + error.what()};
  }
  return Waited{(items[0].revents & ZMQ_POLLIN) != 0, wake_fd >= 0 && items[1].revents != 0};
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
  switch (error.num()) {
    case EADDRINUSE:
      return {Errc::kAlreadyExists,
              address + " is in use by another process; stop it or choose another port"};
    case EADDRNOTAVAIL:
    case ENODEV:
      return {Errc::kInvalidArgument,
              address + ": this machine has no such address, name or interface to listen on"};
    case EACCES:
      return {Errc::kPermission,
              address + ": this user may not listen there; choose a port from 1024"};
    case EMFILE:
    case ENFILE:
      return {Errc::kNoDescriptors,
              address +
                  ": no file descriptor is free for a socket; allow more, as with: ulimit -n 4096"};
    default:
      return {Errc::kInvalidArgument, address + ": " + error.what()};
  }
}

// IPv6 where it is needed: a machine may be without it.
void use_ipv6(zmq::socket_t& socket, const SocketAddress& address) {
  socket.set(zmq::sockopt::ipv6, address.kind != SocketAddress::Kind::kIpv4);
}

// Binds one after another, all to the port of the first.
void bind_all(zmq::socket_t& socket, std::vector<SocketAddress> addresses, std::string& bound) {
  std::optional<zmq::error_t> failed;
  for (SocketAddress& address : addresses) {
    if (!bound.empty()) address.port = bound.substr(bound.rfind(':') + 1);
    try {
      use_ipv6(socket, address);
      socket.bind(address.text());
      if (bound.empty()) bound = socket.get(zmq::sockopt::last_endpoint);
    } catch (const zmq::error_t& error) {
      // A name may have addresses of a kind that this machine does not have.
      if (error.num() != EADDRNOTAVAIL && error.num() != EAFNOSUPPORT) throw;
      failed = error;
    }
  }
  if (bound.empty()) throw *failed;
}

// Who counts as one address: "::ffff:" stands before an IPv4 address on a listener of both kinds.
std::string sender_address(zmq::message_t& message) {
  constexpr std::string_view kMapped = "::ffff:";
  std::string address = message.gets("Peer-Address");
  return address.starts_with(kMapped) ? address.substr(kMapped.size()) : address;
}

}  // namespace

ZmqOptions options_for_everybody(std::size_t request_bytes_max) {
  ZmqOptions options;
  options.incoming_bytes_max = request_bytes_max;
  options.queued_bytes_max = static_cast<int>(request_bytes_max);
  options.connections_per_key_max = limits::kConnectionsPerFreeKeyMax;
  options.per_address = {{limits::kAddressMessagesPerSecond, limits::kAddressMessagesBurst},
                         {limits::kAddressBytesPerSecond, limits::kAddressBytesBurst}};
  return options;
}

// ---- server

struct ZmqServer::Implementation {
  // What is known of one identity: its connections, the newest last, and how long it has to wait.
  struct Peer {
    std::vector<std::string> routes;
    TimeMs paused_until = 0;
    std::string address{};  // of who spoke last
    SharedKeyWatch sharing{};
  };
  static constexpr std::size_t kSweepPeersAt = 1024;

  ZmqContext::Implementation& context;
  std::string domain;
  std::shared_ptr<Admission> admission;
  zmq::socket_t socket;
  ZmqOptions options;
  std::string address{};
  PeerBudgets<PublicKey> of_peers{options.per_peer};
  PeerBudgets<std::string> of_addresses{options.per_address};
  std::map<PublicKey, Peer> peers{};
  std::vector<SharedKey> shared_keys{};
  std::set<std::pair<TimeMs, PublicKey>> paused{};
  std::uint64_t admitted_revision = 0;
  std::size_t sweep_peers_at = kSweepPeersAt;
  SteadyClock own_clock{};

  ~Implementation() {
    const std::lock_guard lock(context.mutex);
    context.admissions.erase(domain);
  }

  [[nodiscard]] TimeMs now() const {
    return (options.clock != nullptr ? *options.clock : own_clock).now_ms();
  }

  void forget(std::map<PublicKey, Peer>::iterator peer) {
    paused.erase({peer->second.paused_until, peer->first});
    peers.erase(peer);
  }

  void end(const PublicKey& identity) {
    const auto peer = peers.find(identity);
    if (peer == peers.end()) return;
    for (const std::string& route : peer->second.routes)
      set_for_route(socket, ZMQ_ROUTER_END_CONNECTION, route);
    forget(peer);
  }

  // Sessions of hotkeys that are no longer admitted are closed.
  void end_who_left() {
    const std::uint64_t revision = admission->revision();
    if (revision == admitted_revision) return;
    admitted_revision = revision;
    std::vector<PublicKey> left;
    for (const auto& [identity, peer] : peers)
      if (!admission->admitted(identity)) left.push_back(identity);
    for (const PublicKey& identity : left) end(identity);
  }

  // Forgets identities whose connections are all gone.
  void sweep() {
    if (peers.size() < sweep_peers_at) return;
    for (auto peer = peers.begin(); peer != peers.end();) {
      const auto next = std::next(peer);
      resume(peer);
      if (peer->second.routes.empty()) forget(peer);
      peer = next;
    }
    sweep_peers_at = std::max(kSweepPeersAt, 2 * peers.size());
  }

  Peer& seen_on(const PublicKey& identity, const std::string& route,
                const std::string& route_address) {
    sweep();
    Peer& peer = peers[identity];
    const std::string other = std::exchange(peer.address, route_address);
    if (!peer.routes.empty() && peer.routes.back() == route) return peer;
    if (std::erase(peer.routes, route) > 0 && peer.sharing.returned(now()))
      shared_keys.push_back({identity, route_address, other});
    peer.routes.push_back(route);
    if (peer.routes.size() > static_cast<std::size_t>(std::max(1, options.connections_per_key_max)))
      drop_route(peer, peer.routes.begin());
    return peer;
  }

  // What is not known is not resumed later, and a connection ends only when it has been read to its
  // end.
  void drop_route(Peer& peer, std::vector<std::string>::iterator route) {
    set_for_route(socket, ZMQ_ROUTER_RESUME, *route);
    peer.routes.erase(route);
  }

  void pause(const PublicKey& identity, Peer& peer, TimeMs until) {
    paused.erase({peer.paused_until, identity});
    peer.paused_until = until;
    paused.insert({until, identity});
    for (const std::string& route : peer.routes) set_for_route(socket, ZMQ_ROUTER_PAUSE, route);
  }

  // Reads from the peer again, and forgets those of its connections that are gone.
  void resume(std::map<PublicKey, Peer>::iterator peer) {
    paused.erase({peer->second.paused_until, peer->first});
    std::erase_if(peer->second.routes, [this](const std::string& route) {
      return !set_for_route(socket, ZMQ_ROUTER_RESUME, route);
    });
  }
  void resume_due() {
    while (!paused.empty() && paused.begin()->first <= now()) {
      const auto peer = peers.find(paused.begin()->second);
      paused.erase(paused.begin());
      if (peer != peers.end()) resume(peer);
    }
  }

  // One message, when there is one that counts.
  std::optional<Incoming> take(bool& nothing_there) {
    zmq::message_t route, body;
    nothing_there = true;
    if (!socket.recv(route, zmq::recv_flags::dontwait) || !route.more()) return std::nullopt;
    if (!socket.recv(body, zmq::recv_flags::dontwait)) return std::nullopt;
    nothing_there = false;
    if (body.more()) {
      discard_rest(socket, body);
      return std::nullopt;
    }
    Incoming incoming;
    std::string from_address;
    try {
      const auto raw = from_hex(body.gets("User-Id"));
      if (!raw || raw->size() != incoming.from.bytes.size()) return std::nullopt;
      std::copy(raw->begin(), raw->end(), incoming.from.bytes.begin());
      from_address = sender_address(body);
    } catch (const zmq::error_t&) {
      return std::nullopt;  // a message without the channel's identity
    }
    if (!admission->admitted(incoming.from)) {
      set_for_route(socket, ZMQ_ROUTER_END_CONNECTION, text_of(route));
      return std::nullopt;
    }
    Peer& peer = seen_on(incoming.from, text_of(route), from_address);
    const TimeMs time = now();
    TimeMs until = of_peers.charge(incoming.from, body.size(), time);
    until = std::max(until, of_addresses.charge(from_address, body.size(), time));
    if (until > time) pause(incoming.from, peer, until);
    incoming.message = bytes_of_frame(body);
    return incoming;
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
  MUSTER_TRY(auto addresses, listening_addresses(address));
  auto& shared = context.implementation();
  const std::string domain = "muster-" + std::to_string(shared.next_domain++);
  try {
    zmq::socket_t socket(shared.context, zmq::socket_type::router);
    set_common_options(socket, options);
    set_server_options(socket, options);
    set_own_keys(socket, key);
    socket.set(zmq::sockopt::zap_domain, domain);
    {
      const std::lock_guard lock(shared.mutex);
      shared.admissions[domain] = admission;
    }
    std::unique_ptr<Implementation> implementation(
        new Implementation{shared, domain, std::move(admission), std::move(socket), options});
    bind_all(implementation->socket, std::move(addresses), implementation->address);
    return std::unique_ptr<ZmqServer>(new ZmqServer(std::move(implementation)));
  } catch (const zmq::error_t& error) {
    return address_error(address, error);
  }
}

Status ZmqServer::send(const PublicKey& to, ByteSpan message) {
  if (message.size() > implementation_->options.message_bytes_max)
    return Error{Errc::kTooLarge, "a message of " + std::to_string(message.size()) + " bytes"};
  implementation_->end_who_left();
  const auto peer = implementation_->peers.find(to);
  if (peer == implementation_->peers.end() || peer->second.routes.empty())
    return Error{Errc::kNotFound, "peer " + to.brief() + " is not connected"};
  try {
    zmq::socket_t& socket = implementation_->socket;
    const auto flags = zmq::send_flags::dontwait;
    if (!socket.send(zmq::buffer(peer->second.routes.back()), flags | zmq::send_flags::sndmore))
      return Error{Errc::kClosed, "peer " + to.brief() + " does not read; message dropped"};
    (void)socket.send(buffer_of(message), flags);
    return {};
  } catch (const zmq::error_t& error) {
    if (error.num() != EHOSTUNREACH) return Error{Errc::kIo, error.what()};
    implementation_->drop_route(peer->second, std::prev(peer->second.routes.end()));
    return Error{Errc::kNotFound, "peer " + to.brief() + " has gone"};
  }
}

std::vector<SharedKey> ZmqServer::take_shared_keys() {
  return std::exchange(implementation_->shared_keys, {});
}

Result<std::optional<Incoming>> ZmqServer::receive(int timeout_ms, int wake_fd) {
  Implementation& server = *implementation_;
  const TimeMs deadline = server.own_clock.now_ms() + timeout_ms;
  for (;;) {
    server.end_who_left();
    server.resume_due();
    try {
      bool nothing_there = false;
      if (auto incoming = server.take(nothing_there)) return incoming;
      if (!nothing_there) continue;
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) return Error{Errc::kIo, std::string("ZeroMQ: ") + error.what()};
    }
    TimeMs left = std::max<TimeMs>(0, deadline - server.own_clock.now_ms());
    if (left == 0 && timeout_ms > 0) return std::optional<Incoming>();
    if (!server.paused.empty())
      left = std::min(left, std::max<TimeMs>(1, server.paused.begin()->first - server.now()));
    MUSTER_TRY(const Waited waited, wait(server.socket, static_cast<int>(left), wake_fd));
    if (waited.readable) continue;
    if (waited.woken || timeout_ms == 0) return std::optional<Incoming>();
  }
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
  MUSTER_TRY(const SocketAddress to, connecting_address(address));
  try {
    zmq::socket_t socket(context.implementation().context, zmq::socket_type::dealer);
    set_common_options(socket, options);
    set_own_keys(socket, key);
    use_ipv6(socket, to);
    socket.set(zmq::sockopt::affinity, kClientsIoThread);
    socket.set(zmq::sockopt::curve_serverkey, zmq::buffer(server_key));
    socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
    socket.connect(to.text());
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
  MUSTER_TRY(const Waited waited, wait(socket, timeout_ms, wake_fd));
  if (!waited.readable) return std::optional<Incoming>();
  try {
    zmq::message_t body;
    if (!socket.recv(body, zmq::recv_flags::dontwait)) return std::optional<Incoming>();
    if (body.more()) {
      discard_rest(socket, body);
      return std::optional<Incoming>();
    }
    return std::optional<Incoming>(Incoming{implementation_->server, bytes_of_frame(body)});
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR) return std::optional<Incoming>();
    return Error{Errc::kIo, std::string("ZeroMQ: ") + error.what()};
  }
}

}  // namespace muster::wire
