// Addresses of sockets: "tcp://HOST:PORT" with a name, an IPv4 address, an IPv6 address in
// brackets, or * to listen.
//
// Thread safety: pure functions, but for the resolver of names that some ask.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace muster::wire {

struct SocketAddress {
  std::string host;  // without brackets
  std::string port;
  enum class Kind { kIpv4, kIpv6, kName, kAny } kind = Kind::kName;

  // As ZeroMQ takes it.
  [[nodiscard]] std::string text() const;
};

// Errors: kInvalidArgument, with the form that is expected.
[[nodiscard]] Result<SocketAddress> parse_address(const std::string& text);

// What to bind so that `text` is served; several for a name with several addresses. A name that the
// resolver does not know may be that of a network interface and is passed on. Errors:
// kInvalidArgument.
[[nodiscard]] Result<std::vector<SocketAddress>> listening_addresses(const std::string& text);

// What to connect to. A name stays a name: it is looked up again at every attempt.
// Errors: kInvalidArgument (also for a name that does not exist; one that cannot be looked up now
// is no error).
[[nodiscard]] Result<SocketAddress> connecting_address(const std::string& text);

}  // namespace muster::wire
