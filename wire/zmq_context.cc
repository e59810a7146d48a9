#include <array>
#include <cstring>

#include "wire/zmq_internal.h"

namespace muster::wire {
namespace {

// libzmq's name for it is a draft. Received messages that share one buffer would keep all of it
// while one of them waits, which no bound on queued bytes counts.
constexpr int kZeroCopyReceive = 10;

}  // namespace

ZmqContext::ZmqContext() : implementation_(std::make_unique<Implementation>()) {}
ZmqContext::~ZmqContext() = default;

ZmqContext::Implementation::Implementation() {
  ::zmq_ctx_set(context.handle(), kZeroCopyReceive, 0);
  stop_ = zmq::socket_t(context, zmq::socket_type::pair);
  zmq::socket_t handler(context, zmq::socket_type::rep);
  handler.bind("inproc://zeromq.zap.01");
  zmq::socket_t stopped(context, zmq::socket_type::pair);
  stopped.bind("inproc://muster.zap.stop");
  stop_.connect("inproc://muster.zap.stop");
  thread_ = std::thread([this, handler = std::move(handler),
                         stopped = std::move(stopped)]() mutable { serve(handler, stopped); });
}

ZmqContext::Implementation::~Implementation() {
  stop_.send(zmq::buffer("x", 1), zmq::send_flags::none);
  thread_.join();
}

void ZmqContext::Implementation::serve(zmq::socket_t& handler, zmq::socket_t& stopped) {
  for (;;) {
    zmq::pollitem_t items[] = {{handler.handle(), 0, ZMQ_POLLIN, 0},
                               {stopped.handle(), 0, ZMQ_POLLIN, 0}};
    try {
      zmq::poll(items, 2, std::chrono::milliseconds(-1));
      if (items[1].revents != 0) return;
      if (items[0].revents != 0) answer(handler);
    } catch (const zmq::error_t& error) {
      if (error.num() == ETERM) return;
    }
  }
}

void ZmqContext::Implementation::answer(zmq::socket_t& handler) {
  std::vector<zmq::message_t> frames;
  do {
    frames.emplace_back();
    if (!handler.recv(frames.back(), zmq::recv_flags::dontwait)) return;
  } while (frames.back().more());
  const auto identity = decide(frames);
  const std::string request = frames.size() > 1 ? text_of(frames[1]) : "";
  const std::string user = identity ? identity->hex() : "";
  // 300, a temporary failure: who is not on the list now may be once it is read from the ledger.
  const std::array<std::string, 6> reply{
      "1.0", request, identity ? "200" : "300", identity ? "OK" : "not admitted", user, ""};
  for (std::size_t i = 0; i < reply.size(); ++i)
    handler.send(zmq::buffer(reply[i]),
                 i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

// Frames: version, request id, domain, address, identity, mechanism, CURVE key.
std::optional<PublicKey> ZmqContext::Implementation::decide(
    const std::vector<zmq::message_t>& frames) {
  if (frames.size() != 7 || text_of(frames[5]) != "CURVE") return std::nullopt;
  CurveKey key{};
  if (frames[6].size() != key.size()) return std::nullopt;
  std::memcpy(key.data(), frames[6].data(), key.size());
  std::shared_ptr<Admission> admission;
  {
    const std::lock_guard lock(mutex);
    const auto found = admissions.find(text_of(frames[2]));
    if (found == admissions.end()) return std::nullopt;
    admission = found->second;
  }
  return admission->admit(key);
}

}  // namespace muster::wire
