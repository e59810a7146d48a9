#include "wire/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace muster::wire {
namespace {

constexpr std::string_view kScheme = "tcp://";

Error bad(const std::string& text, const std::string& why) {
  return {Errc::kInvalidArgument, "address '" + text + "': " + why +
                                      "; expected tcp://HOST:PORT, as tcp://10.0.0.7:27601, "
                                      "tcp://[::1]:27601 or tcp://example.org:27601"};
}

bool is_numeric(int family, const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  const std::string without_zone = host.substr(0, host.find('%'));
  return ::inet_pton(family, without_zone.c_str(), bytes) == 1;
}

// The port as a number; 0 for the two ways to ask for a free one.
bool is_port(const std::string& port) {
  if (port == "*") return true;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number <= 65535;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// EAI_… of the resolver, 0 when it knows the name.
int look_up(const std::string& host, std::unique_ptr<addrinfo, FreeAddresses>& found) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  if (error == 0) found.reset(list);
  return error;
}

bool does_not_exist(int error) { return error == EAI_NONAME || error == EAI_NODATA; }

}  // namespace

std::string SocketAddress::text() const {
  const std::string shown = kind == Kind::kIpv6 ? "[" + host + "]" : host;
  return std::string(kScheme) + shown + ":" + port;
}

Result<SocketAddress> parse_address(const std::string& text) {
  if (!text.starts_with(kScheme)) return bad(text, "it does not begin with tcp://");
  const std::string rest = text.substr(kScheme.size());
  const auto colon = rest.rfind(':');
  if (colon == std::string::npos) return bad(text, "it has no port");
  SocketAddress address{rest.substr(0, colon), rest.substr(colon + 1)};
  if (!is_port(address.port)) return bad(text, "'" + address.port + "' is no port from 1 to 65535");
  const bool bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty()) return bad(text, "it has no host");
  if (is_numeric(AF_INET6, address.host)) {
    if (!bracketed) return bad(text, "an IPv6 address stands in brackets");
    address.kind = SocketAddress::Kind::kIpv6;
  } else if (bracketed) {
    return bad(text, "'" + address.host + "' is no IPv6 address");
  } else if (is_numeric(AF_INET, address.host)) {
    address.kind = SocketAddress::Kind::kIpv4;
  } else if (address.host == "*") {
    address.kind = SocketAddress::Kind::kAny;
  } else if (address.host.find_first_of(":/ ") != std::string::npos) {
    return bad(text, "'" + address.host + "' is no name of a host");
  }
  return address;
}

Result<std::vector<SocketAddress>> listening_addresses(const std::string& text) {
  MUSTER_TRY(SocketAddress address, parse_address(text));
  if (address.kind != SocketAddress::Kind::kName) return std::vector{std::move(address)};
  std::unique_ptr<addrinfo, FreeAddresses> found;
  if (look_up(address.host, found) != 0) return std::vector{std::move(address)};
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found.get(); entry != nullptr; entry = entry->ai_next) {
    char host[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, host, sizeof(host), nullptr, 0,
                      NI_NUMERICHOST) != 0)
      continue;
    const auto kind =
        entry->ai_family == AF_INET6 ? SocketAddress::Kind::kIpv6 : SocketAddress::Kind::kIpv4;
    const bool known = std::any_of(addresses.begin(), addresses.end(),
                                   [&](const SocketAddress& other) { return other.host == host; });
    if (!known) addresses.push_back({host, address.port, kind});
  }
  return addresses;
}

Result<SocketAddress> connecting_address(const std::string& text) {
  MUSTER_TRY(SocketAddress address, parse_address(text));
  if (address.kind == SocketAddress::Kind::kAny)
    return bad(text,
               "* is every address of this machine, to listen on; name the host to connect to");
  if (address.port == "*" || address.port == "0")
    return bad(text, "a port to connect to is from 1 to 65535");
  if (address.kind != SocketAddress::Kind::kName) return address;
  std::unique_ptr<addrinfo, FreeAddresses> found;
  if (does_not_exist(look_up(address.host, found)))
    return bad(text, "the host '" + address.host + "' is unknown here");
  return address;
}

}  // namespace muster::wire
