// What every Transport must do, run against the in-memory one and ZeroMQ with CURVE.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "wire/memory_transport.h"
#include "wire/zmq_transport.h"

namespace muster::wire {
namespace {

constexpr int kWaitMs = 5000;

// A server and two clients of one kind.
struct Net {
  virtual ~Net() = default;
  SigningKey server_key{random_seed()}, alice_key{random_seed()}, bob_key{random_seed()};
  std::unique_ptr<Transport> server, alice, bob;
};

struct MemoryNet : Net {
  MemoryHub hub;
  MemoryNet() {
    server = hub.join(server_key.public_key());
    alice = hub.join(alice_key.public_key());
    bob = hub.join(bob_key.public_key());
  }
  ~MemoryNet() override { server.reset(), alice.reset(), bob.reset(); }
};

struct ZmqNet : Net {
  ZmqContext context;
  std::shared_ptr<HotkeyAdmission> admission = std::make_shared<HotkeyAdmission>();
  ZmqNet() {
    admission->set({alice_key.public_key(), bob_key.public_key()});
    auto listening = ZmqServer::listen(context, "tcp://127.0.0.1:*", server_key, admission).value();
    const std::string address = listening->address();
    server = std::move(listening);
    alice = ZmqClient::connect(context, address, server_key.public_key(), alice_key).value();
    bob = ZmqClient::connect(context, address, server_key.public_key(), bob_key).value();
  }
  ~ZmqNet() override { server.reset(), alice.reset(), bob.reset(); }
};

template <class Kind>
class TransportConformance : public ::testing::Test {
 protected:
  Kind net_;
  Incoming expect_message(Transport& transport) {
    auto incoming = transport.receive(kWaitMs);
    EXPECT_TRUE(incoming.has_value() && incoming->has_value());
    return incoming && *incoming ? **incoming : Incoming{};
  }
};
using Kinds = ::testing::Types<MemoryNet, ZmqNet>;
TYPED_TEST_SUITE(TransportConformance, Kinds);

TYPED_TEST(TransportConformance, DeliversAMessageWithItsSendersIdentity) {
  auto& net = this->net_;
  ASSERT_TRUE(net.alice->send(net.server_key.public_key(), bytes_of("hello")));
  const Incoming incoming = this->expect_message(*net.server);
  EXPECT_EQ(incoming.from, net.alice_key.public_key());
  EXPECT_EQ(incoming.message, Bytes({'h', 'e', 'l', 'l', 'o'}));
}

TYPED_TEST(TransportConformance, AnswersReachTheOneWhoAsked) {
  auto& net = this->net_;
  ASSERT_TRUE(net.alice->send(net.server_key.public_key(), bytes_of("a")));
  ASSERT_TRUE(net.bob->send(net.server_key.public_key(), bytes_of("b")));
  for (int i = 0; i < 2; ++i) {
    const Incoming incoming = this->expect_message(*net.server);
    ASSERT_TRUE(net.server->send(incoming.from, incoming.message));
  }
  EXPECT_EQ(this->expect_message(*net.alice).message, Bytes{'a'});
  EXPECT_EQ(this->expect_message(*net.bob).message, Bytes{'b'});
}

TYPED_TEST(TransportConformance, KeepsTheOrderOfOnePeer) {
  auto& net = this->net_;
  for (std::uint8_t i = 0; i < 100; ++i)
    ASSERT_TRUE(net.alice->send(net.server_key.public_key(), Bytes{i}));
  for (std::uint8_t i = 0; i < 100; ++i)
    ASSERT_EQ(this->expect_message(*net.server).message, Bytes{i});
}

TYPED_TEST(TransportConformance, CarriesEmptyAndLargestMessages) {
  auto& net = this->net_;
  const Bytes large(limits::kMessageBytesMax, 0xab);
  ASSERT_TRUE(net.alice->send(net.server_key.public_key(), Bytes{}));
  ASSERT_TRUE(net.alice->send(net.server_key.public_key(), large));
  EXPECT_TRUE(this->expect_message(*net.server).message.empty());
  EXPECT_EQ(this->expect_message(*net.server).message, large);
}

TYPED_TEST(TransportConformance, RefusesToSendMoreThanTheLimit) {
  auto& net = this->net_;
  const Bytes large(limits::kMessageBytesMax + 1);
  EXPECT_EQ(net.alice->send(net.server_key.public_key(), large).error().code, Errc::kTooLarge);
}

TYPED_TEST(TransportConformance, SaysNotFoundForAPeerThatIsNotConnected) {
  auto& net = this->net_;
  const SigningKey stranger(random_seed());
  EXPECT_EQ(net.server->send(stranger.public_key(), bytes_of("x")).error().code, Errc::kNotFound);
}

TYPED_TEST(TransportConformance, ReceivesNothingWhenNothingWasSent) {
  EXPECT_FALSE(this->net_.server->receive(0).value().has_value());
}

TYPED_TEST(TransportConformance, WakesUpWhenTheDescriptorBecomesReadable) {
  Mailbox<int> box;
  box.push(1);
  EXPECT_FALSE(this->net_.server->receive(60'000, box.fd()).value().has_value());
}

}  // namespace
}  // namespace muster::wire
