// Peers that do what no library would: raw TCP, ZMTP greetings, and CURVE handshakes by hand with
// any content.
//
// Every wait is bounded; nothing here checks an expectation. Thread safety: one owner each.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/key.h"
#include "wire/admission.h"

namespace muster::testing {

inline constexpr int kPeerWaitMs = 20'000;

inline Bytes operator+(Bytes left, ByteSpan right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
inline Bytes text_bytes(std::string_view text) { return {text.begin(), text.end()}; }

inline int port_of(const std::string& address) {
  return std::stoi(address.substr(address.rfind(':') + 1));
}

// What this process holds in memory, in MiB.
inline long resident_mib() {
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / (1 << 20);
}

class RawPeer {
 public:
  // From `source`, an address of this machine (of 127.0.0.0/8, or "0.0.0.0": any), to `target`.
  explicit RawPeer(int port, const char* source = "127.0.0.1", const char* target = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    ::inet_pton(AF_INET, source, &from.sin_addr);
    sockaddr_in to = from;
    ::inet_pton(AF_INET, target, &to.sin_addr);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    connected_ = socket_ &&
                 ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&from), sizeof(from)) == 0 &&
                 ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
    const timeval patience{kPeerWaitMs / 1000, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  [[nodiscard]] bool connected() const { return connected_; }

  // False when the other side has ended the connection or takes nothing for `patience_ms`.
  bool send(ByteSpan bytes, int patience_ms = kPeerWaitMs) {
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
        continue;
      }
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
      pollfd writable{socket_.get(), POLLOUT, 0};
      if (::poll(&writable, 1, patience_ms) == 0) return false;
    }
    return true;
  }

  std::optional<Bytes> read(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t done = 0; done < size;) {
      const ssize_t got = ::recv(socket_.get(), bytes.data() + done, size - done, 0);
      if (got <= 0) return std::nullopt;
      done += static_cast<std::size_t>(got);
    }
    return bytes;
  }

  // What is there, at most `size` bytes, without waiting for it.
  Bytes read_some(std::size_t size) {
    Bytes bytes(size);
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }

  // Reads whatever comes until the other side ends the connection; false when it does not.
  bool ended() {
    std::array<std::uint8_t, 4096> bytes;
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
      if (got < 0 && errno == EAGAIN) return false;
    }
  }

  // Ends the connection with a reset instead of a farewell.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    socket_ = FileHandle();
  }

 private:
  FileHandle socket_;
  bool connected_ = false;
};

// Flags of a ZMTP frame, and of what CURVE enciphers.
inline constexpr std::uint8_t kMore = 1, kLong = 2, kCommand = 4, kSealedCommand = 2;

inline Bytes zmtp_greeting(std::string_view mechanism) {
  Bytes greeting(64);
  greeting[0] = 0xff, greeting[9] = 0x7f, greeting[10] = 3;
  std::copy(mechanism.begin(), mechanism.end(), greeting.begin() + 12);
  return greeting;
}

inline Bytes zmtp_frame(std::uint8_t flags, ByteSpan body,
                        std::optional<std::uint64_t> said_size = {}) {
  const std::uint64_t size = said_size.value_or(body.size());
  Bytes frame{flags};
  if (size < 256) {
    frame.push_back(static_cast<std::uint8_t>(size));
  } else {
    frame[0] |= kLong;
    for (int shift = 56; shift >= 0; shift -= 8)
      frame.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  return std::move(frame) + body;
}

inline Bytes zmtp_property(std::string_view name, ByteSpan value) {
  Bytes property{static_cast<std::uint8_t>(name.size())};
  property = std::move(property) + text_bytes(name);
  for (int shift = 24; shift >= 0; shift -= 8)
    property.push_back(static_cast<std::uint8_t>(value.size() >> shift));
  return std::move(property) + value;
}

// A CURVE client (ZeroMQ RFC 26) that says what it is told to.
class CurvePeer : public RawPeer {
 public:
  CurvePeer(int port, const PublicKey& server, const SigningKey& key,
            const char* source = "127.0.0.1", const char* target = "127.0.0.1")
      : RawPeer(port, source, target),
        server_(curve_public_key(server).value()),
        own_(curve_key_pair(key)) {
    ::crypto_box_keypair(short_public_.data(), short_secret_.data());
  }

  // The steps of a handshake; false when the server does not play along.
  bool greet() { return connected() && send(zmtp_greeting("CURVE")) && read(64).has_value(); }
  Bytes hello() {
    const Bytes count = nonce();
    return zmtp_frame(kCommand, text_bytes("\5HELLO") + Bytes{1, 0} + Bytes(72) +
                                    ByteSpan(short_public_) + count +
                                    box(Bytes(64), "CurveZMQHELLO---", server_, short_secret_));
  }
  bool welcome() {
    const auto command = read_command();
    if (!command || command->size() != 168) return false;
    std::array<std::uint8_t, 24> full;
    std::memcpy(full.data(), "WELCOME-", 8);
    std::memcpy(full.data() + 8, command->data() + 8, 16);
    std::array<std::uint8_t, 128> plain;
    if (::crypto_box_open_easy(plain.data(), command->data() + 24, 144, full.data(), server_.data(),
                               short_secret_.data()) != 0)
      return false;
    std::memcpy(server_short_.data(), plain.data(), 32);
    cookie_.assign(plain.begin() + 32, plain.end());
    return true;
  }
  Bytes initiate(ByteSpan metadata) {
    std::array<std::uint8_t, 24> full;
    std::memcpy(full.data(), "VOUCH---", 8);
    ::randombytes_buf(full.data() + 8, 16);
    const Bytes vouched = Bytes(short_public_.begin(), short_public_.end()) + ByteSpan(server_);
    Bytes vouch(80);
    (void)!::crypto_box_easy(vouch.data(), vouched.data(), vouched.size(), full.data(),
                             server_short_.data(), own_.secret_key.data());
    const Bytes plain = Bytes(own_.public_key.begin(), own_.public_key.end()) +
                        ByteSpan(full).subspan(8) + ByteSpan(vouch) + metadata;
    const Bytes count = nonce();
    return zmtp_frame(kCommand, text_bytes("\10INITIATE") + ByteSpan(cookie_) + count +
                                    box(plain, "CurveZMQINITIATE", server_short_, short_secret_));
  }
  bool ready() {
    const auto command = read_command();
    return command && command->size() > 6 && std::memcmp(command->data(), "\5READY", 6) == 0;
  }
  // Client of the given routing id, as far as the server lets it in.
  bool enter(ByteSpan routing_id = {}) {
    return greet() && send(hello()) && welcome() &&
           send(initiate(zmtp_property("Socket-Type", text_bytes("DEALER")) +
                         zmtp_property("Identity", routing_id))) &&
           ready();
  }

  // What the server sends next, deciphered: flags and body. Nothing when the connection ends.
  std::optional<Bytes> next_message() {
    const auto flags = read(1);
    const auto size_bytes = flags ? read((*flags)[0] & kLong ? 8 : 1) : std::nullopt;
    if (!size_bytes) return std::nullopt;
    std::uint64_t size = 0;
    for (const std::uint8_t byte : *size_bytes) size = size << 8 | byte;
    const auto body = read(size);
    if (!body || size < 16 + crypto_box_MACBYTES) return std::nullopt;
    std::array<std::uint8_t, 24> full;
    std::memcpy(full.data(), "CurveZMQMESSAGES", 16);
    std::memcpy(full.data() + 16, body->data() + 8, 8);
    Bytes plain(size - 16 - crypto_box_MACBYTES);
    if (::crypto_box_open_easy(plain.data(), body->data() + 16, size - 16, full.data(),
                               server_short_.data(), short_secret_.data()) != 0)
      return std::nullopt;
    return plain;
  }

  // An enciphered frame with these flags.
  Bytes message(std::uint8_t flags, ByteSpan body) {
    const Bytes count = nonce();
    return zmtp_frame(
        0, text_bytes("\7MESSAGE") + count +
               box(Bytes{flags} + body, "CurveZMQMESSAGEC", server_short_, short_secret_));
  }

 private:
  // The next short nonce, which box() uses too.
  Bytes nonce() {
    ++nonce_;
    Bytes bytes;
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(nonce_ >> shift));
    return bytes;
  }
  Bytes box(ByteSpan plain, std::string_view prefix, const wire::CurveKey& to,
            const wire::CurveKey& from) const {
    std::array<std::uint8_t, 24> full;
    std::memcpy(full.data(), prefix.data(), 16);
    for (int i = 0; i < 8; ++i)
      full[static_cast<std::size_t>(16 + i)] = static_cast<std::uint8_t>(nonce_ >> (56 - 8 * i));
    Bytes cipher(plain.size() + crypto_box_MACBYTES);
    (void)!::crypto_box_easy(cipher.data(), plain.data(), plain.size(), full.data(), to.data(),
                             from.data());
    return cipher;
  }
  std::optional<Bytes> read_command() {
    const auto head = read(2);
    if (!head || ((*head)[0] & kLong) != 0) return std::nullopt;
    return read((*head)[1]);
  }

  wire::CurveKey server_;
  CurveKeyPair own_;
  wire::CurveKey short_public_{}, short_secret_{}, server_short_{};
  Bytes cookie_;
  std::uint64_t nonce_ = 0;
};

}  // namespace muster::testing
