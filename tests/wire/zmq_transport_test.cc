// ZeroMQ against peers that misbehave, over real sockets.
#include "wire/zmq_transport.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "wire/address.h"

namespace muster::wire {
namespace {

constexpr int kWaitMs = 20'000;

class ZmqTransportTest : public ::testing::Test {
 protected:
  ZmqTransportTest() { admission_->set({honest_.public_key()}); }

  std::unique_ptr<ZmqServer> listen(const std::string& address = "tcp://127.0.0.1:*") {
    return ZmqServer::listen(context_, address, server_key_, admission_).value();
  }
  std::unique_ptr<ZmqClient> connect(const std::string& address, const SigningKey& key) {
    return ZmqClient::connect(context_, address, server_key_.public_key(), key).value();
  }
  // Still served, whatever somebody else did.
  void expect_served(ZmqServer& server, ZmqClient& client) {
    ASSERT_TRUE(client.send(server_key_.public_key(), bytes_of("ping")));
    const auto incoming = server.receive(kWaitMs).value();
    ASSERT_TRUE(incoming.has_value());
    EXPECT_EQ(incoming->from, honest_.public_key());
  }

  ZmqContext context_;
  SigningKey server_key_{random_seed()}, honest_{random_seed()}, stranger_{random_seed()};
  std::shared_ptr<HotkeyAdmission> admission_ = std::make_shared<HotkeyAdmission>();
};

TEST_F(ZmqTransportTest, AStrangersHotkeyDoesNotGetIn) {
  auto server = listen();
  auto stranger = connect(server->address(), stranger_);
  auto client = connect(server->address(), honest_);
  (void)stranger->send(server_key_.public_key(), bytes_of("let me in"));
  expect_served(*server, *client);
  EXPECT_FALSE(server->receive(200).value().has_value());
}

TEST_F(ZmqTransportTest, AHotkeyIsAdmittedOnceItIsListed) {
  auto server = listen();
  admission_->set({honest_.public_key(), stranger_.public_key()});
  auto client = connect(server->address(), stranger_);
  ASSERT_TRUE(client->send(server_key_.public_key(), bytes_of("x")));
  EXPECT_EQ(server->receive(kWaitMs).value()->from, stranger_.public_key());
}

// A coordinator that restarts knows nobody until the ledger has answered.
TEST_F(ZmqTransportTest, AClientThatWasTurnedAwayGetsInOnceItIsListed) {
  auto server = listen();
  auto client = connect(server->address(), stranger_);
  ASSERT_TRUE(client->send(server_key_.public_key(), bytes_of("x")));
  EXPECT_FALSE(server->receive(300).value().has_value());
  admission_->set({stranger_.public_key()});
  EXPECT_TRUE(server->receive(kWaitMs).value().has_value()) << "the next handshake is seconds away";
}

TEST_F(ZmqTransportTest, GarbageOnThePortDisturbsNobody) {
  auto server = listen();
  const int port = std::stoi(server->address().substr(server->address().rfind(':') + 1));
  for (int attempt = 0; attempt < 20; ++attempt) {
    const int raw = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(raw, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    const Bytes garbage(1000, static_cast<std::uint8_t>(attempt * 13 + 1));
    (void)!::send(raw, garbage.data(), garbage.size(), MSG_NOSIGNAL);
    ::close(raw);
  }
  auto client = connect(server->address(), honest_);
  expect_served(*server, *client);
}

TEST_F(ZmqTransportTest, AMessageOverTheServersLimitDropsItsSenderOnly) {
  ZmqOptions small;
  small.incoming_bytes_max = 1000;
  auto server =
      ZmqServer::listen(context_, "tcp://127.0.0.1:*", server_key_, admission_, small).value();
  admission_->set({honest_.public_key(), stranger_.public_key()});
  auto flooder = connect(server->address(), stranger_);
  ASSERT_TRUE(flooder->send(server_key_.public_key(), Bytes(100'000)));
  auto client = connect(server->address(), honest_);
  expect_served(*server, *client);
}

TEST_F(ZmqTransportTest, AReconnectingPeerIsServedOnItsNewestConnection) {
  auto server = listen();
  for (int life = 0; life < 5; ++life) {
    auto client = connect(server->address(), honest_);
    expect_served(*server, *client);
    ASSERT_TRUE(server->send(honest_.public_key(), bytes_of("pong")));
    EXPECT_TRUE(client->receive(kWaitMs).value().has_value()) << "life " << life;
  }
}

struct HandClock final : Clock {
  TimeMs now_ms() const override { return now; }
  TimeMs now = 1000;
};

TEST_F(ZmqTransportTest, TwoProcessesWithOneKeyAreFoundAndOneThatReconnectsIsNot) {
  HandClock clock;
  ZmqOptions options;
  options.clock = &clock;
  auto server =
      ZmqServer::listen(context_, "tcp://127.0.0.1:*", server_key_, admission_, options).value();
  admission_->set({honest_.public_key()});
  for (int life = 0; life < 6; ++life) {
    auto client = connect(server->address(), honest_);
    expect_served(*server, *client);
    clock.now += 1000;
  }
  EXPECT_TRUE(server->take_shared_keys().empty());
  auto original = connect(server->address(), honest_), clone = connect(server->address(), honest_);
  std::vector<SharedKey> found;
  for (int turn = 0; turn < 3; ++turn) {
    for (auto* client : {original.get(), clone.get()}) {
      expect_served(*server, *client);
      clock.now += 1000;
      for (SharedKey& shared : server->take_shared_keys()) found.push_back(std::move(shared));
    }
  }
  ASSERT_EQ(found.size(), 2u) << "once when each of them had spoken, so that both can be told";
  for (const SharedKey& shared : found) {
    EXPECT_EQ(shared.key, honest_.public_key());
    EXPECT_EQ(shared.address, "127.0.0.1");
    EXPECT_EQ(shared.other_address, "127.0.0.1");
  }
}

TEST_F(ZmqTransportTest, AUsedPortIsNamedWithTheMend) {
  auto server = listen();
  const auto second = ZmqServer::listen(context_, server->address(), server_key_, admission_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kAlreadyExists);
  EXPECT_NE(second.error().message.find("choose another port"), std::string::npos);
}

// The port that a server got, at another host.
std::string at(const std::string& host, const std::string& address) {
  return "tcp://" + host + address.substr(address.rfind(':'));
}

bool has_ipv6() {
  const int probe = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool bound =
      probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&loopback), sizeof(loopback)) == 0;
  if (probe >= 0) ::close(probe);
  return bound;
}

TEST_F(ZmqTransportTest, ServesNamesAndBothKindsOfAddresses) {
  auto everywhere = listen("tcp://*:*");
  std::vector<std::string> hosts{"127.0.0.1", "localhost"};
  if (has_ipv6()) hosts.push_back("[::1]");
  for (const std::string& host : hosts) {
    auto client = connect(at(host, everywhere->address()), honest_);
    expect_served(*everywhere, *client);
  }
  for (const std::string& host : hosts) {
    auto server = listen("tcp://" + host + ":*");
    auto same = connect(at(host, server->address()), honest_);
    expect_served(*server, *same);
  }
  // A name is tried on all of its addresses, also on those that nobody serves.
  for (const SocketAddress& one : listening_addresses("tcp://localhost:*").value()) {
    if (one.kind == SocketAddress::Kind::kIpv6 && !has_ipv6()) continue;
    auto server = listen(one.text());
    auto by_name = connect(at("localhost", server->address()), honest_);
    expect_served(*server, *by_name);
  }
}

TEST_F(ZmqTransportTest, AnAddressThatCannotBeIsToldInWords) {
  const auto listening = [&](const char* address) {
    return ZmqServer::listen(context_, address, server_key_, admission_).error().message;
  };
  EXPECT_NE(listening("tcp://::1:27601").find("in brackets"), std::string::npos);
  EXPECT_NE(listening("tcp://192.0.2.1:0").find("this machine has no such address"),
            std::string::npos);
  EXPECT_NE(listening("tcp://no-such-host.invalid:0").find("no such address, name"),
            std::string::npos);
  const auto client =
      ZmqClient::connect(context_, "tcp://*:27601", server_key_.public_key(), honest_);
  EXPECT_NE(client.error().message.find("name the host"), std::string::npos);
}

// Something else answers where the server is to be, for a while.
TEST_F(ZmqTransportTest, AClientComesAgainAfterAnAnswerThatIsNoZeromq) {
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&here), sizeof(here)), 0);
  ASSERT_EQ(::listen(other, 1), 0);
  socklen_t size = sizeof(here);
  ASSERT_EQ(::getsockname(other, reinterpret_cast<sockaddr*>(&here), &size), 0);
  const std::string address = "tcp://127.0.0.1:" + std::to_string(ntohs(here.sin_port));
  auto client = connect(address, honest_);
  const int accepted = ::accept(other, nullptr, nullptr);
  const std::string answer =
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(::send(accepted, answer.data(), answer.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(answer.size()));
  char byte;
  while (::recv(accepted, &byte, 1, 0) > 0) {
  }
  ::close(accepted), ::close(other);
  auto server = listen(address);
  expect_served(*server, *client);
}

TEST_F(ZmqTransportTest, AClientWithAnotherServersKeyDoesNotTalk) {
  auto server = listen();
  auto deceived = ZmqClient::connect(context_, server->address(), stranger_.public_key(), honest_);
  ASSERT_TRUE(deceived.has_value());
  (void)(*deceived)->send(stranger_.public_key(), bytes_of("secret"));
  EXPECT_FALSE(server->receive(300).value().has_value());
}

}  // namespace
}  // namespace muster::wire
