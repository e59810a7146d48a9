// Strangers and registered peers that try to end a server, fill its memory or take its time, over
// loopback.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <set>
#include <thread>
#include <zmq.hpp>

#include "base/descriptors.h"
#include "tests/hostile/hostile_peer.h"
#include "wire/zmq_transport.h"

namespace muster::wire {
namespace {

using namespace muster::testing;

constexpr int kStepMs = 50;
constexpr const char* kAttacker = "127.0.0.66";  // counts as another address than the honest peer's

class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimeMs now_ms() const override { return now; }
  std::atomic<TimeMs> now{1'000'000};
};

// A server that gives every message back, on a thread of its own while it is not held.
class Echo {
 public:
  Echo(ZmqContext& context, const SigningKey& key, std::shared_ptr<Admission> admission,
       const ZmqOptions& options = {})
      : server_(ZmqServer::listen(context, "tcp://127.0.0.1:*", key, std::move(admission), options)
                    .value()) {
    resume();
  }
  ~Echo() { hold(); }
  void hold() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void resume() {
    stop_ = false;
    thread_ = std::thread([this] {
      while (!stop_) {
        const auto incoming = server_->receive(kStepMs).value();
        if (!incoming) continue;
        ++taken_;
        (void)server_->send(incoming->from, incoming->message);
      }
    });
  }
  ZmqServer& server() { return *server_; }  // only while it is held
  [[nodiscard]] int port() const { return port_of(server_->address()); }
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  std::unique_ptr<ZmqServer> server_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> taken_{0};
  std::thread thread_;
};

class HostileTransportTest : public ::testing::Test {
 protected:
  HostileTransportTest() { admission_->set({honest_.public_key(), registered_.public_key()}); }

  std::unique_ptr<ZmqClient> connect(int port, const SigningKey& key) {
    return ZmqClient::connect(context_, "tcp://127.0.0.1:" + std::to_string(port),
                              key_.public_key(), key)
        .value();
  }
  // An answer comes, whatever happened; messages that are lost are sent again.
  [[nodiscard]] bool served(ZmqClient& client, const std::string& text = "ping") {
    for (int waited = 0; waited < kPeerWaitMs; waited += 500) {
      (void)client.send(key_.public_key(), bytes_of(text));
      const auto answer = client.receive(500).value();
      if (answer && answer->message == text_bytes(text)) return true;
    }
    return false;
  }
  [[nodiscard]] bool served(int port) { return served(*connect(port, honest_)); }

  ZmqContext context_;
  SigningKey key_{random_seed()}, honest_{random_seed()}, registered_{random_seed()};
  std::shared_ptr<HotkeyAdmission> admission_ = std::make_shared<HotkeyAdmission>();
};

// ---- routing ids

Bytes generated_id(std::uint32_t number) {
  Bytes id{0};
  for (int shift = 24; shift >= 0; shift -= 8)
    id.push_back(static_cast<std::uint8_t>(number >> shift));
  return id;
}

// The library by itself: whoever knows one generated id knows the next ones.
TEST(HostileLibraryTest, NobodyTakesTheIdsThatARouterGenerates) {
  zmq::context_t context;
  zmq::socket_t router(context, zmq::socket_type::router);
  router.bind("tcp://127.0.0.1:*");
  const std::string address = router.get(zmq::sockopt::last_endpoint);
  // The id under which the next honest message came.
  const auto next_id = [&]() -> Bytes {
    zmq::pollitem_t item{router.handle(), 0, ZMQ_POLLIN, 0};
    zmq::message_t id, body;
    if (zmq::poll(&item, 1, std::chrono::milliseconds(kPeerWaitMs)) == 0) return {};
    (void)router.recv(id);
    (void)router.recv(body);
    EXPECT_EQ(body.to_string(), "honest") << "a taker got in";
    return Bytes(id.data<std::uint8_t>(), id.data<std::uint8_t>() + id.size());
  };
  std::vector<zmq::socket_t> honest, takers;
  const auto come_in = [&] {
    honest.emplace_back(context, zmq::socket_type::dealer);
    honest.back().set(zmq::sockopt::linger, 0);
    honest.back().connect(address);
    honest.back().send(zmq::str_buffer("honest"));
  };
  come_in();
  const Bytes known = next_id();
  ASSERT_EQ(known.size(), 5u);
  std::uint32_t number = 0;
  for (std::size_t i = 1; i < 5; ++i) number = number << 8 | known[i];
  for (std::uint32_t i = 1; i <= 240; ++i) {
    const Bytes id = generated_id(number + i);
    takers.emplace_back(context, zmq::socket_type::dealer);
    takers.back().set(zmq::sockopt::routing_id, zmq::buffer(id));
    takers.back().set(zmq::sockopt::linger, 0);
    takers.back().connect(address);
    takers.back().send(zmq::str_buffer("taker"));
  }
  std::set<Bytes> ids{known};
  for (int i = 0; i < 8; ++i) {
    come_in();
    ids.insert(next_id());
  }
  EXPECT_EQ(ids.size(), 9u);
}

TEST_F(HostileTransportTest, AnIdThatBeginsWithZeroDoesNotGetIn) {
  Echo echo(context_, key_, admission_);
  for (std::uint32_t i = 0; i < 8; ++i) {
    CurvePeer peer(echo.port(), key_.public_key(), registered_, kAttacker);
    EXPECT_FALSE(peer.enter(generated_id(i * 7919)));
  }
  CurvePeer long_id(echo.port(), key_.public_key(), registered_, kAttacker);
  EXPECT_FALSE(long_id.enter(Bytes(1000, 'x')));
  EXPECT_TRUE(served(echo.port()));
}

// ---- memory

TEST_F(HostileTransportTest, AnUnfinishedMessageEndsItsConnectionInsteadOfFillingTheMemory) {
  Echo echo(context_, key_, admission_);
  CurvePeer peer(echo.port(), key_.public_key(), registered_);
  ASSERT_TRUE(peer.enter());
  const long before = resident_mib();
  const Bytes part(1 << 20, 7);
  int taken = 0;
  while (taken < 400 && peer.send(peer.message(kMore, part), 2'000)) ++taken;
  EXPECT_LT(taken, 400);
  EXPECT_LT(resident_mib() - before, 64);
  EXPECT_TRUE(served(echo.port()));
}

TEST_F(HostileTransportTest, AStrangersHandshakeIsBoundedInBytes) {
  Echo echo(context_, key_, admission_);
  const long before = resident_mib();
  std::vector<std::unique_ptr<CurvePeer>> peers;
  for (int i = 0; i < 64; ++i) {
    peers.push_back(
        std::make_unique<CurvePeer>(echo.port(), key_.public_key(), registered_, kAttacker));
    ASSERT_TRUE(peers.back()->greet());
    // All but the last byte. How much of it fits into the buffers of an ended connection nobody
    // knows.
    (void)peers.back()->send(zmtp_frame(kCommand, Bytes((2 << 20) - 1, 1), 2 << 20), 100);
  }
  EXPECT_LT(resident_mib() - before, 64);
  EXPECT_TRUE(served(echo.port()));
}

TEST_F(HostileTransportTest, AHandshakeWithThousandsOfPropertiesIsRefused) {
  Echo echo(context_, key_, admission_);
  Bytes metadata = zmtp_property("Socket-Type", text_bytes("DEALER"));
  for (int i = 0; i < 20'000; ++i)
    metadata = std::move(metadata) + zmtp_property("X" + std::to_string(i), Bytes());
  CurvePeer peer(echo.port(), key_.public_key(), registered_);
  ASSERT_TRUE(peer.greet() && peer.send(peer.hello()) && peer.welcome());
  (void)peer.send(peer.initiate(metadata));
  EXPECT_FALSE(peer.ready());
  EXPECT_TRUE(served(echo.port()));
}

TEST_F(HostileTransportTest, APeerThatDoesNotReadIsBoundedInBytes) {
  Echo echo(context_, key_, admission_);
  CurvePeer peer(echo.port(), key_.public_key(), registered_);
  ASSERT_TRUE(peer.enter());
  ASSERT_TRUE(peer.send(peer.message(0, text_bytes("hello"))));
  for (int waited = 0; echo.taken() == 0 && waited < kPeerWaitMs; waited += kStepMs)
    (void)peer.read(1);
  ASSERT_GT(echo.taken(), 0u);
  echo.hold();
  const Bytes large(1 << 20, 1);
  int queued = 0;
  while (queued < 256 && echo.server().send(registered_.public_key(), large)) ++queued;
  // The queue, what TCP buffers on both sides, and what moved on in the meantime.
  EXPECT_LT(queued, 64);
  EXPECT_EQ(echo.server().send(registered_.public_key(), large).error().code, Errc::kClosed);
  echo.resume();
  EXPECT_TRUE(served(echo.port()));
}

TEST_F(HostileTransportTest, WhoFloodsAServerThatIsBusyFillsItsOwnQueueOnly) {
  Echo echo(context_, key_, admission_);
  CurvePeer peer(echo.port(), key_.public_key(), registered_);
  ASSERT_TRUE(peer.enter());
  echo.hold();
  const long before = resident_mib();
  const Bytes large(1 << 20, 1);
  int taken = 0;
  while (taken < 256 && peer.send(peer.message(0, large), 1'000)) ++taken;
  EXPECT_LT(taken, 64);
  EXPECT_LT(resident_mib() - before, 64);
  echo.resume();
  EXPECT_TRUE(served(echo.port()));
}

// ---- asserts

TEST_F(HostileTransportTest, HandshakesThatStopAnywhereDisturbNobody) {
  Echo echo(context_, key_, admission_);
  std::vector<std::unique_ptr<CurvePeer>> peers;
  const auto begin = [&]() -> CurvePeer& {
    peers.push_back(
        std::make_unique<CurvePeer>(echo.port(), key_.public_key(), registered_, kAttacker));
    return *peers.back();
  };
  for (int i = 0; i < 10; ++i) {
    (void)begin().send(ByteSpan(zmtp_greeting("CURVE")).first(static_cast<std::size_t>(5 * i)));
    for (const char* mechanism : {"NULL", "PLAIN", "GSSAPI", "curve", ""})
      (void)begin().send(zmtp_greeting(mechanism));
    auto& after_hello = begin();
    (void)(after_hello.greet() && after_hello.send(after_hello.hello()));
    auto& twice = begin();
    (void)(twice.greet() && twice.send(twice.hello()) && twice.send(twice.hello()));
    auto& half = begin();
    if (half.greet() && half.send(half.hello()) && half.welcome()) {
      const Bytes initiate = half.initiate({});
      (void)half.send(ByteSpan(initiate).first(initiate.size() / 2));
    }
    auto& eager = begin();  // a message before it was let in
    if (eager.greet() && eager.send(eager.hello()) && eager.welcome())
      (void)(eager.send(eager.initiate({})) && eager.send(eager.message(0, Bytes(10))));
    auto& command = begin();
    (void)(command.greet() &&
           command.send(zmtp_frame(kCommand, Bytes{static_cast<std::uint8_t>(255 - i)})));
  }
  EXPECT_TRUE(served(echo.port()));
}

TEST_F(HostileTransportTest, CommandsOfAnyShapeDisturbNobody) {
  Echo echo(context_, key_, admission_);
  for (const Bytes& command :
       {Bytes{}, Bytes{0}, Bytes{255}, text_bytes("\4PING"), text_bytes("\4PING") + Bytes{1},
        text_bytes("\4PING") + Bytes{0, 1} + Bytes(5000, 9), text_bytes("\4PONG"),
        text_bytes("\11SUBSCRIBE"), text_bytes("\6CANCEL"), text_bytes("\5ERROR"),
        text_bytes("\5READY")}) {
    CurvePeer peer(echo.port(), key_.public_key(), registered_, kAttacker);
    ASSERT_TRUE(peer.enter());
    for (int i = 0; i < 50; ++i)
      if (!peer.send(peer.message(kSealedCommand, command))) break;
    for (int i = 0; i < 5; ++i)
      if (!peer.send(peer.message(kSealedCommand | kMore, command))) break;
    peer.reset();
  }
  EXPECT_TRUE(served(echo.port()));
}

// What comes back of a PING is what came with it, not what lies behind it in memory.
TEST_F(HostileTransportTest, ATruncatedPingIsNotAnswered) {
  Echo echo(context_, key_, admission_);
  for (const Bytes& ping : {text_bytes("\4PING"), text_bytes("\4PING") + Bytes{0}}) {
    CurvePeer peer(echo.port(), key_.public_key(), registered_, kAttacker);
    ASSERT_TRUE(peer.enter());
    ASSERT_TRUE(peer.send(peer.message(kSealedCommand, ping)));
    while (const auto message = peer.next_message())
      ASSERT_NE(ByteSpan(*message).size() > 5 ? Bytes(message->begin() + 1, message->begin() + 6)
                                              : Bytes(),
                text_bytes("\4PONG"));
  }
  EXPECT_TRUE(served(echo.port()));
}

// A connection that is reset while nobody reads its messages still has its heartbeats, and PINGs in
// its buffers.
TEST_F(HostileTransportTest, AResetOfAFullConnectionDisturbsNobody) {
  Echo echo(context_, key_, admission_), other(context_, key_, admission_);
  auto honest = connect(other.port(), honest_);
  ASSERT_TRUE(served(*honest));
  CurvePeer peer(echo.port(), key_.public_key(), registered_);
  ASSERT_TRUE(peer.enter());
  echo.hold();
  const Bytes ping = text_bytes("\4PING") + Bytes{0, 100};
  for (int i = 0; i < 4096 && peer.send(peer.message(0, Bytes(4096)), 200); ++i)
    if (!peer.send(peer.message(kSealedCommand, ping), 200)) break;
  peer.reset();
  // Several heartbeats later; the other server shares the I/O thread.
  const SteadyClock clock;
  for (const TimeMs until = clock.now_ms() + 5'000; clock.now_ms() < until;)
    ASSERT_TRUE(served(*honest));
  echo.resume();
  EXPECT_TRUE(served(echo.port()));
}

// ---- connections and descriptors

TEST_F(HostileTransportTest, AKeyHasAFewConnectionsAndNotMore) {
  Echo echo(context_, key_, admission_);
  std::vector<std::unique_ptr<CurvePeer>> peers;
  int inside = 0;
  for (int i = 0; i < limits::kConnectionsPerKeyMax + 3; ++i) {
    peers.push_back(std::make_unique<CurvePeer>(echo.port(), key_.public_key(), registered_));
    if (peers.back()->enter()) ++inside;
  }
  EXPECT_EQ(inside, limits::kConnectionsPerKeyMax);
  EXPECT_TRUE(served(echo.port()));
  // Places come free with the connections that had them.
  peers.clear();
  EXPECT_TRUE(served(*connect(echo.port(), registered_)));
}

TEST_F(HostileTransportTest, AnAddressHasItsShareOfConnectionsAndNotMore) {
  ZmqOptions options;
  options.connections_per_address_max = 16;
  Echo echo(context_, key_, admission_, options);
  std::vector<std::unique_ptr<RawPeer>> peers;
  int greeted = 0;
  for (int i = 0; i < 40; ++i) {
    peers.push_back(std::make_unique<RawPeer>(echo.port(), kAttacker));
    if (peers.back()->connected() && peers.back()->read(10)) ++greeted;
  }
  EXPECT_GE(greeted, 16);
  EXPECT_LT(greeted, 40) << "those that were ended at once were not greeted";
  EXPECT_TRUE(served(echo.port())) << "from another address";
}

TEST_F(HostileTransportTest, AnAddressIsAcceptedAtItsRate) {
  ZmqOptions options;
  options.accepts_per_second_max = 4;
  Echo echo(context_, key_, admission_, options);
  int greeted = 0;
  const SteadyClock clock;
  const TimeMs start = clock.now_ms();
  for (int i = 0; i < 400; ++i) {
    RawPeer peer(echo.port(), kAttacker);
    if (peer.connected() && peer.read(10)) ++greeted;
  }
  const auto seconds = static_cast<int>((clock.now_ms() - start) / 1000);
  EXPECT_LE(greeted, 8 * 4 + 4 * (seconds + 2));
  EXPECT_TRUE(served(echo.port()));
}

// A server in a process of its own, with few descriptors. It ends when the pipe does.
class ServerProcess {
 public:
  ServerProcess(const SigningKey& key, const SigningKey& honest, rlim_t descriptors, int spare) {
    int port_pipe[2], life_pipe[2];
    EXPECT_EQ(::pipe(port_pipe), 0);
    EXPECT_EQ(::pipe(life_pipe), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(port_pipe[0]), ::close(life_pipe[1]);
      serve(key, honest, descriptors, spare, port_pipe[1], life_pipe[0]);
    }
    ::close(port_pipe[1]), ::close(life_pipe[0]);
    life_ = FileHandle(life_pipe[1]);
    const FileHandle reading(port_pipe[0]);
    EXPECT_EQ(::read(reading.get(), &port_, sizeof(port_)), static_cast<ssize_t>(sizeof(port_)));
  }
  // Whether it is alive to the end.
  [[nodiscard]] bool ends_well() {
    life_ = FileHandle();
    int status = 0;
    return ::waitpid(child_, &status, 0) == child_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  [[noreturn]] static void serve(const SigningKey& key, const SigningKey& honest,
                                 rlim_t descriptors, int spare, int port_fd, int life_fd) {
    const rlimit limit{descriptors, descriptors};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ZmqContext context;
    auto admission = std::make_shared<HotkeyAdmission>();
    admission->set({honest.public_key()});
    ZmqOptions options;
    options.connections_per_address_max = 4096;
    options.accepts_per_second_max = 4096;
    Echo echo(context, key, admission, options);
    if (spare > 0) {  // fewer than the listener counted on
      const FileHandle next(::dup(life_fd));
      const rlimit few{static_cast<rlim_t>(next.get() + spare), descriptors};
      ::setrlimit(RLIMIT_NOFILE, &few);
    }
    const int port = echo.port();
    (void)!::write(port_fd, &port, sizeof(port));
    // The rest of a process opens files and makes mailboxes meanwhile.
    bool descriptors_left = true;
    for (pollfd life{life_fd, POLLIN, 0}; ::poll(&life, 1, 10) == 0;)
      if (spare == 0) descriptors_left = descriptors_left && need_descriptors(16).has_value();
    echo.hold();
    ::_exit(descriptors_left ? 0 : 1);
  }
  pid_t child_ = -1;
  FileHandle life_;
  int port_ = 0;
};

TEST(HostileDescriptorsTest, TwoThousandIdleConnectionsOnAThousandDescriptors) {
  if (raise_descriptor_limit() < 2'100)
    GTEST_SKIP() << "this machine allows too few file descriptors";
  const SigningKey key{random_seed()}, honest{random_seed()};
  ServerProcess server(key, honest, 1024, 0);
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 2'000; ++i)
    peers.push_back(std::make_unique<RawPeer>(server.port(), kAttacker));
  peers.clear();
  ZmqContext context;
  auto client = ZmqClient::connect(context, "tcp://127.0.0.1:" + std::to_string(server.port()),
                                   key.public_key(), honest)
                    .value();
  std::optional<Incoming> answer;
  for (int waited = 0; !answer && waited < kPeerWaitMs; waited += 500) {
    (void)client->send(key.public_key(), bytes_of("ping"));
    answer = client->receive(500).value();
  }
  EXPECT_TRUE(answer.has_value());
  EXPECT_TRUE(server.ends_well());
}

TEST(HostileDescriptorsTest, WithoutADescriptorAConnectionWaitsUntilThereIsOne) {
  const SigningKey key{random_seed()}, honest{random_seed()};
  ServerProcess server(key, honest, 1024, 4);
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 50; ++i) peers.push_back(std::make_unique<RawPeer>(server.port(), kAttacker));
  ZmqContext context;
  auto client = ZmqClient::connect(context, "tcp://127.0.0.1:" + std::to_string(server.port()),
                                   key.public_key(), honest)
                    .value();
  peers.clear();
  std::optional<Incoming> answer;
  for (int waited = 0; !answer && waited < kPeerWaitMs; waited += 500) {
    (void)client->send(key.public_key(), bytes_of("ping"));
    answer = client->receive(500).value();
  }
  EXPECT_TRUE(answer.has_value());
  EXPECT_TRUE(server.ends_well());
}

// ---- budgets

TEST_F(HostileTransportTest, WhoIsOverItsBudgetWaitsAlone) {
  ManualClock clock;
  ZmqOptions options;
  options.per_peer = {{10, 10}, {}};
  options.clock = &clock;
  auto server = ZmqServer::listen(context_, "tcp://127.0.0.1:*", key_, admission_, options).value();
  auto flooder = connect(port_of(server->address()), registered_);
  auto honest = connect(port_of(server->address()), honest_);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(flooder->send(key_.public_key(), Bytes{1}));
  int from_flooder = 0;
  const auto take_all = [&](int at_least) {
    for (int waited = 0; waited < kPeerWaitMs;) {
      const auto incoming = server->receive(kStepMs).value();
      if (!incoming && from_flooder >= at_least) return;
      if (incoming && incoming->from == registered_.public_key()) ++from_flooder;
      if (!incoming) waited += kStepMs;
    }
  };
  take_all(11);
  EXPECT_EQ(from_flooder, 11) << "ten at once, and the one that was too many";
  ASSERT_TRUE(honest->send(key_.public_key(), Bytes{2}));
  const auto next = server->receive(kPeerWaitMs).value();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->from, honest_.public_key());
  clock.now += 1'100;
  take_all(22);
  EXPECT_EQ(from_flooder, 22) << "nothing was lost, it waited";
}

// Its connections would else count for ever, and shut it out.
TEST_F(HostileTransportTest, WhoLeavesWhileItHasToWaitComesBack) {
  ManualClock clock;
  ZmqOptions options;
  options.per_peer = {{10, 10}, {}};
  options.connections_per_key_max = 1;
  options.clock = &clock;
  auto server = ZmqServer::listen(context_, "tcp://127.0.0.1:*", key_, admission_, options).value();
  const int port = port_of(server->address());
  {
    CurvePeer peer(port, key_.public_key(), registered_);
    ASSERT_TRUE(peer.enter());
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(peer.send(peer.message(0, Bytes{1})));
    for (int taken = 0; taken < 11;)
      if (server->receive(kPeerWaitMs).value()) ++taken;
  }
  // Something is sent to it, and it is found to have gone.
  for (int waited = 0; waited < kPeerWaitMs; waited += kStepMs) {
    if (!server->send(registered_.public_key(), Bytes{2})) break;
    ASSERT_FALSE(server->receive(kStepMs).value().has_value()) << "it is over its budget";
  }
  auto back = connect(port, registered_);
  std::optional<Incoming> message;
  for (int waited = 0; waited < kPeerWaitMs && (!message || message->message != Bytes{3});
       waited += kStepMs) {
    (void)back->send(key_.public_key(), Bytes{3});
    clock.now += 10'000;
    message = server->receive(kStepMs).value();
  }
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->message, Bytes{3});
}

// Where everybody may come in a key costs nothing.
TEST_F(HostileTransportTest, EverNewKeysOfOneAddressShareOneBudget) {
  ManualClock clock;
  ZmqOptions options = options_for_everybody(1 << 16);
  options.per_address = {{10, 10}, {}};
  options.clock = &clock;
  auto server = ZmqServer::listen(context_, "tcp://127.0.0.1:*", key_,
                                  std::make_shared<OpenAdmission>(), options)
                    .value();
  const int port = port_of(server->address());
  std::vector<std::unique_ptr<CurvePeer>> keys;
  for (int i = 0; i < 20; ++i) {
    keys.push_back(
        std::make_unique<CurvePeer>(port, key_.public_key(), SigningKey(random_seed()), kAttacker));
    ASSERT_TRUE(keys.back()->enter());
    for (int message = 0; message < 20; ++message)
      ASSERT_TRUE(keys.back()->send(keys.back()->message(0, Bytes{1})));
  }
  int taken = 0;
  for (int waited = 0; waited < 1'000;) {
    if (server->receive(kStepMs).value()) {
      ++taken;
    } else {
      waited += kStepMs;
    }
  }
  EXPECT_LE(taken, 10 + 20) << "each key is stopped at its first message beyond the budget";
  auto honest = connect(port, honest_);  // from another address
  ASSERT_TRUE(honest->send(key_.public_key(), Bytes{2}));
  const auto next = server->receive(kPeerWaitMs).value();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->message, Bytes{2});
}

TEST_F(HostileTransportTest, AHotkeyThatLeavesTheLedgerLosesItsSession) {
  auto server = ZmqServer::listen(context_, "tcp://127.0.0.1:*", key_, admission_).value();
  auto client = connect(port_of(server->address()), registered_);
  ASSERT_TRUE(client->send(key_.public_key(), Bytes{1}));
  ASSERT_TRUE(server->receive(kPeerWaitMs).value().has_value());
  admission_->set({honest_.public_key()});
  EXPECT_EQ(server->send(registered_.public_key(), Bytes{1}).error().code, Errc::kNotFound);
  for (int i = 0; i < 20; ++i) (void)client->send(key_.public_key(), Bytes{2});
  auto honest = connect(port_of(server->address()), honest_);
  ASSERT_TRUE(honest->send(key_.public_key(), Bytes{3}));
  const auto next = server->receive(kPeerWaitMs).value();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->from, honest_.public_key());
  admission_->set({registered_.public_key()});
  std::optional<Incoming> back;
  for (int waited = 0; !back && waited < kPeerWaitMs; waited += 500) {
    (void)client->send(key_.public_key(), Bytes{4});
    back = server->receive(500).value();
  }
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->from, registered_.public_key());
}

}  // namespace
}  // namespace muster::wire
