// What the ZeroMQ transports share: the context with its authenticator. Only zmq_context.cc and
// zmq_transport.cc include this.
//
// Thread safety: as said in wire/zmq_transport.h.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "wire/zmq_transport.h"

namespace muster::wire {

// Servers and clients have I/O threads of their own: a client that waits for the resolver of names
// stops no server.
inline constexpr std::uint64_t kServersIoThread = 1, kClientsIoThread = 2;  // bits of ZMQ_AFFINITY

// Answers every handshake of the context (ZeroMQ RFC 27). It must always answer, or handshakes
// hang.
struct ZmqContext::Implementation {
  Implementation();
  ~Implementation();

  zmq::context_t context{2};
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Admission>> admissions;  // by ZAP domain
  std::atomic<std::uint64_t> next_domain{0};

 private:
  void serve(zmq::socket_t& handler, zmq::socket_t& stopped);
  void answer(zmq::socket_t& handler);
  std::optional<PublicKey> decide(const std::vector<zmq::message_t>& frames);
  zmq::socket_t stop_;
  std::thread thread_;
};

inline std::string text_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

}  // namespace muster::wire
