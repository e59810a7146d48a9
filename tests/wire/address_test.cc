#include "wire/address.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

using Kind = SocketAddress::Kind;

TEST(Address, KnowsEveryKindOfHost) {
  const auto kind_of = [](const char* text) { return parse_address(text).value().kind; };
  EXPECT_EQ(kind_of("tcp://127.0.0.1:27601"), Kind::kIpv4);
  EXPECT_EQ(kind_of("tcp://[::1]:27601"), Kind::kIpv6);
  EXPECT_EQ(kind_of("tcp://[fe80::1%eth0]:27601"), Kind::kIpv6);
  EXPECT_EQ(kind_of("tcp://node-7.example.org:1"), Kind::kName);
  EXPECT_EQ(kind_of("tcp://*:65535"), Kind::kAny);
}

TEST(Address, IsWrittenAsItWasRead) {
  for (const char* text :
       {"tcp://127.0.0.1:27601", "tcp://[::1]:27601", "tcp://localhost:1", "tcp://*:*"})
    EXPECT_EQ(parse_address(text).value().text(), text);
}

TEST(Address, SaysWhatIsWrong) {
  const auto problem = [](const char* text) {
    const auto address = parse_address(text);
    return address ? std::string() : address.error().message;
  };
  EXPECT_NE(problem("127.0.0.1:27601").find("tcp://"), std::string::npos);
  EXPECT_NE(problem("tcp://127.0.0.1").find("no port"), std::string::npos);
  EXPECT_NE(problem("tcp://127.0.0.1:").find("no port"), std::string::npos);
  EXPECT_NE(problem("tcp://127.0.0.1:65536").find("no port from 1 to 65535"), std::string::npos);
  EXPECT_NE(problem("tcp://127.0.0.1:27601x").find("no port"), std::string::npos);
  EXPECT_NE(problem("tcp://::1:27601").find("in brackets"), std::string::npos);
  EXPECT_NE(problem("tcp://[127.0.0.1]:27601").find("no IPv6 address"), std::string::npos);
  EXPECT_NE(problem("tcp://:27601").find("no host"), std::string::npos);
  EXPECT_NE(problem("tcp://a/b:27601").find("no name"), std::string::npos);
  for (const char* text : {"", "tcp://", "tcp://x", "ipc://x:1"})
    EXPECT_FALSE(problem(text).empty()) << text;
}

TEST(Address, ToConnectToNamesOneHostAndOnePort) {
  EXPECT_TRUE(connecting_address("tcp://[::1]:1"));
  EXPECT_NE(connecting_address("tcp://*:27601").error().message.find("name the host"),
            std::string::npos);
  EXPECT_FALSE(connecting_address("tcp://127.0.0.1:*"));
  EXPECT_FALSE(connecting_address("tcp://127.0.0.1:0"));
  EXPECT_EQ(connecting_address("tcp://localhost:27601").value().text(), "tcp://localhost:27601");
}

TEST(Address, ANameToListenOnStandsForItsAddresses) {
  const auto addresses = listening_addresses("tcp://localhost:27601").value();
  ASSERT_FALSE(addresses.empty());
  for (const auto& address : addresses) {
    EXPECT_NE(address.kind, Kind::kName);
    EXPECT_EQ(address.port, "27601");
  }
  EXPECT_EQ(listening_addresses("tcp://*:*").value().size(), 1u);
}

}  // namespace
}  // namespace muster::wire
