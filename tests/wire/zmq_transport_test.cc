// ZeroMQ against peers that misbehave, over real sockets.
#include "wire/zmq_transport.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "base/limits.h"

namespace muster::wire {
namespace {

constexpr int kWaitMs = 5000;

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
  EXPECT_TRUE(server->receive(4 * kWaitMs).value().has_value()) << "the next handshake is seconds away";
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
  small.message_bytes_max = 1000;
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

TEST_F(ZmqTransportTest, AUsedPortIsNamedWithTheMend) {
  auto server = listen();
  const auto second = ZmqServer::listen(context_, server->address(), server_key_, admission_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kAlreadyExists);
  EXPECT_NE(second.error().message.find("choose another port"), std::string::npos);
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
