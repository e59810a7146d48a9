#include "trainer/ranks/rank_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/limits.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kHeadBytes = 12;

Error broken(std::string_view doing) {
  if (errno == EPIPE || errno == ECONNRESET) return Error{Errc::kClosed, "the other side is gone"};
  return system_error("channel of a rank", doing);
}

Status write_all(int socket, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return broken("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status read_all(int socket, std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return broken("read");
    if (got == 0) return Error{Errc::kClosed, "the other side is gone"};
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace

Result<std::pair<RankChannel, RankChannel>> RankChannel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error("channel of a rank", "make");
  return std::pair{RankChannel(FileHandle(ends[0])), RankChannel(FileHandle(ends[1]))};
}

Status RankChannel::send(RankMessageKind kind, ByteSpan content) {
  ByteWriter head;
  head.write(static_cast<std::uint32_t>(kind));
  head.write(static_cast<std::uint64_t>(content.size()));
  MUSTER_TRY_STATUS(write_all(socket_.get(), head.bytes()));
  return write_all(socket_.get(), content);
}

Result<RankMessage> RankChannel::receive() {
  Bytes head(kHeadBytes);
  MUSTER_TRY_STATUS(read_all(socket_.get(), head));
  ByteReader reader(head);
  const auto kind = reader.read<std::uint32_t>();
  const auto length = reader.read<std::uint64_t>();
  if (kind < static_cast<std::uint32_t>(RankMessageKind::kTrain) ||
      kind > static_cast<std::uint32_t>(RankMessageKind::kFailed))
    return Error{Errc::kMalformed, "a message of an unknown kind between a miner and its rank"};
  if (length > limits::kBlobBytesMax)
    return Error{Errc::kTooLarge,
                 "a message of " + std::to_string(length) + " bytes between a miner and its rank"};
  RankMessage message{static_cast<RankMessageKind>(kind), Bytes(length)};
  MUSTER_TRY_STATUS(read_all(socket_.get(), message.content));
  return message;
}

bool RankChannel::is_readable() const {
  pollfd entry{socket_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace muster::trainer
