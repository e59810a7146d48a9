// A hostile peer that sends as much as half a core can, until it is told to stop; what it cannot
// send it spins away, so that every mode takes the same half.
//   flooder MODE KEY_FILE SERVER_HOTKEY RUN_ID ADDRESS PORT [BLOB_ID]
// Hotkey, run and blob in hex. floods.py starts it, and has the list of modes with what each does.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "chain/service/messages.h"
#include "protocol/signed_message.h"
#include "tests/hostile/hostile_peer.h"
#include "wire/blob_messages.h"
#include "wire/zmq_transport.h"

namespace muster::testing {
namespace {

constexpr double kShare = 0.5;         // of a core
constexpr double kSpinBehindS = 0.02;  // so that spinning takes only what sending leaves
constexpr const char* kAnyAddress = "0.0.0.0";
constexpr int kShortMs = 5;

std::atomic<bool> stopped{false};

double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// How much of the process's share of a core is left, in seconds.
double left_of_share() {
  static const double start = seconds_of(CLOCK_MONOTONIC);
  return (seconds_of(CLOCK_MONOTONIC) - start) * kShare - seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void wait_ms(int ms) { ::poll(nullptr, 0, ms); }

void spin() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they wake the thread that sends
  while (!stopped) {
    if (left_of_share() < kSpinBehindS) wait_ms(1);
  }
}

struct Target {
  SigningKey key;  // registered, or nobody's
  PublicKey server;
  Hash run_id;
  std::string address;
  int port = 0;
  Hash blob;

  [[nodiscard]] std::unique_ptr<RawPeer> raw() const {
    return std::make_unique<RawPeer>(port, kAnyAddress, address.c_str());
  }
  [[nodiscard]] std::unique_ptr<CurvePeer> curve(const SigningKey& as) const {
    return std::make_unique<CurvePeer>(port, server, as, kAnyAddress, address.c_str());
  }
};

// One step of a flood, which sends something; false when nothing can be sent just now.
using Step = std::function<bool()>;
using Flood = std::function<Step(const Target&)>;

// ---- strangers

Step connections(const Target& target) {
  return [&target] {
    const auto peer = target.raw();
    if (peer->connected()) peer->reset();
    return peer->connected();
  };
}

// Connections that say one byte of a greeting and no more; the server ends them one after the
// other.
Step idle_connections(const Target& target) {
  auto peers = std::make_shared<std::vector<std::unique_ptr<RawPeer>>>();
  return [&target, peers] {
    constexpr std::size_t kHeld = 2'000;
    if (peers->size() >= kHeld) peers->erase(peers->begin());
    peers->push_back(target.raw());
    return peers->back()->connected() && peers->back()->send(Bytes{0xff}, kShortMs);
  };
}

// Up to the last command, after which the server asks whether the key is admitted.
Step handshakes(const Target& target) {
  return [&target] {
    const auto peer = target.curve(SigningKey(random_seed()));
    return peer->greet() && peer->send(peer->hello()) && peer->welcome() &&
           peer->send(peer->initiate(zmtp_property("Socket-Type", text_bytes("DEALER"))));
  };
}

Step garbage(const Target& target) {
  return [&target] {
    const auto peer = target.raw();
    Bytes rubbish(4096);
    system_random(rubbish);
    if (!peer->connected()) return false;
    if (rubbish[0] % 2 == 0 && !peer->send(zmtp_greeting("CURVE"), kShortMs)) return false;
    return peer->send(rubbish, kShortMs);
  };
}

// Questions to the ledger, whose doors are open to every key: the largest answers, which nobody
// reads.
Step questions(const Target& target) {
  auto peers = std::make_shared<std::vector<std::unique_ptr<CurvePeer>>>();
  auto number = std::make_shared<std::uint64_t>(0);
  return [&target, peers, number] {
    constexpr std::size_t kKeys = 64;
    if (peers->size() < kKeys) {
      auto peer = target.curve(SigningKey(random_seed()));
      if (!peer->enter()) return false;
      peers->push_back(std::move(peer));
    }
    chain::Request request;
    request.id = ++*number;
    request.question = *number % 2 == 0 ? chain::Question::kMetagraph : chain::Question::kState;
    const auto peer = peers->begin() + static_cast<std::ptrdiff_t>(*number % peers->size());
    if ((*peer)->send((*peer)->message(0, wire::encode(request)), kShortMs)) return true;
    peers->erase(peer);  // it is not read just now, or was ended
    return false;
  };
}

// ---- a registered hotkey

// The connections that one key may have, each sending what `next` makes; one that is not read is
// begun anew.
Step by_connections(const Target& target, std::function<Bytes(CurvePeer&)> next) {
  struct Connections {
    std::array<std::unique_ptr<CurvePeer>, limits::kConnectionsPerKeyMax> peers;
    std::size_t turn = 0;
  };
  auto all = std::make_shared<Connections>();
  return [&target, all, next = std::move(next)] {
    auto& peer = all->peers[all->turn++ % all->peers.size()];
    if (!peer) {
      peer = target.curve(target.key);
      if (!peer->enter()) peer.reset();
    }
    if (peer && peer->send(next(*peer), kShortMs)) return true;
    peer.reset();
    return false;
  };
}

Step unfinished(const Target& target) {
  return by_connections(target, [](CurvePeer& peer) { return peer.message(kMore, Bytes(64)); });
}

Step large(const Target& target) {
  return by_connections(target, [](CurvePeer& peer) { return peer.message(0, Bytes(1 << 20)); });
}

// What is sent with the library, which keeps a connection, and what came back last.
class Member {
 public:
  explicit Member(const Target& target)
      : target_(target),
        client_(wire::ZmqClient::connect(
                    context_, "tcp://" + target.address + ":" + std::to_string(target.port),
                    target.server, target.key)
                    .value()) {}

  bool send(ByteSpan message) { return client_->send(target_.server, message).has_value(); }

  // Reads what has come and keeps what says where the run is.
  void read() {
    while (const auto incoming = client_->receive(0).value()) {
      const auto envelope = wire::reread_envelope(incoming->message);
      if (!envelope) continue;
      const auto open = protocol::read_body<protocol::RoundOpen>(*envelope);
      if (!open) continue;
      position_ = {envelope->run_id, envelope->round, envelope->parent};
      ready_.state_id = open->state_id;
      for (const Bytes& bytes : open->attestations) {
        const auto attestation = wire::reread_envelope(bytes);
        if (const auto attest = protocol::read_body<protocol::Attest>(attestation.value()))
          ready_.theta_root = attest->theta_root;
      }
    }
  }
  template <class Message>
  bool send_signed(const protocol::Position& position, const Message& message) {
    return send(protocol::sign_message(position, message, target_.key));
  }
  [[nodiscard]] const protocol::Position& position() const { return position_; }
  [[nodiscard]] protocol::Position start() const { return {target_.run_id, Round{0}, {}}; }
  [[nodiscard]] const protocol::Ready& ready() const { return ready_; }

 private:
  const Target& target_;
  wire::ZmqContext context_;
  std::unique_ptr<wire::ZmqClient> client_;
  protocol::Position position_{target_.run_id, Round{0}, {}};
  protocol::Ready ready_;
};

Step by_member(const Target& target, std::function<bool(Member&)> step) {
  auto member = std::make_shared<Member>(target);
  return [member, step = std::move(step)] {
    member->read();
    return step(*member);
  };
}

Step readies(const Target& target) {
  return by_member(
      target, [](Member& member) { return member.send_signed(member.position(), member.ready()); });
}

// Each asks for all rounds since the first one.
Step readies_behind(const Target& target) {
  auto round = std::make_shared<std::uint64_t>(0);
  return by_member(target, [round](Member& member) {
    auto position = member.start();
    position.round = Round{++*round % std::max<std::uint64_t>(1, member.position().round.value)};
    return member.send_signed(position, protocol::Ready{});
  });
}

// At the coordinator's state with another root of θ, which is answered with the open round.
Step readies_astray(const Target& target) {
  return by_member(target, [](Member& member) {
    protocol::Ready ready = member.ready();
    ready.theta_root = {};
    return member.send_signed(member.position(), ready);
  });
}

Step disputes(const Target& target) {
  protocol::Dispute dispute;
  const Bytes proof =
      protocol::sign_message({target.run_id, Round{0}, {}}, protocol::Ready{}, target.key);
  dispute.proof.assign(limits::kProofMessagesMax, proof);
  auto number = std::make_shared<std::uint64_t>(0);
  return by_member(target, [dispute, number](Member& member) mutable {
    dispute.found.bytes[0] = static_cast<std::uint8_t>(++*number);
    dispute.reason =
        static_cast<protocol::DisputeReason>(*number % enum_count(protocol::DisputeReason{}));
    return member.send_signed(member.position(), dispute);
  });
}

Step by_blob_message(const Target& target, wire::BlobMessage::Kind kind) {
  auto message = std::make_shared<wire::BlobMessage>();
  message->kind = kind;
  message->id = target.blob;
  message->total = 1 << 20;
  return by_member(target, [message, kind](Member& member) {
    message->frames = kind == wire::BlobMessage::Kind::kGet ? limits::kTransferCreditFrames : 0;
    return member.send(wire::encode(*message));
  });
}

Step puts(const Target& target) { return by_blob_message(target, wire::BlobMessage::Kind::kPut); }
Step gets(const Target& target) { return by_blob_message(target, wire::BlobMessage::Kind::kGet); }

// Asks on every connection that a key may have, and reads a few bytes now and then.
Step gets_read_slowly(const Target& target) {
  return by_connections(target, [&target](CurvePeer& peer) {
    wire::BlobMessage message;
    message.kind = wire::BlobMessage::Kind::kGet;
    message.id = target.blob;
    message.frames = limits::kTransferCreditFrames;
    (void)peer.read_some(16);
    return peer.message(0, wire::encode(message));
  });
}

Step nothing(const Target&) {
  return [] { return false; };
}

const std::map<std::string, Flood>& floods() {
  static const std::map<std::string, Flood> all{{"spin", nothing},
                                                {"connections", connections},
                                                {"idle", idle_connections},
                                                {"handshakes", handshakes},
                                                {"garbage", garbage},
                                                {"questions", questions},
                                                {"unfinished", unfinished},
                                                {"large", large},
                                                {"ready", readies},
                                                {"behind", readies_behind},
                                                {"astray", readies_astray},
                                                {"disputes", disputes},
                                                {"puts", puts},
                                                {"gets", gets},
                                                {"slow-gets", gets_read_slowly}};
  return all;
}

Hash hash_of(const char* hex) { return hash_from_hex(hex).value(); }

int run(int argc, char** argv) {
  const auto flood = argc >= 7 ? floods().find(argv[1]) : floods().end();
  if (flood == floods().end()) {
    std::fprintf(stderr,
                 "usage: flooder MODE KEY_FILE SERVER_HOTKEY RUN_ID ADDRESS PORT [BLOB_ID]\n");
    return 2;
  }
  const Target target{read_key_file(argv[2]).value(),
                      PublicKey{hash_of(argv[3]).bytes},
                      hash_of(argv[4]),
                      argv[5],
                      std::stoi(argv[6]),
                      argc > 7 ? hash_of(argv[7]) : Hash{}};
  std::signal(SIGTERM, [](int) { stopped = true; });
  (void)left_of_share();
  std::puts("flooding");
  std::fflush(stdout);
  std::uint64_t sent = 0;
  std::thread spinner(spin);
  {
    const Step step = flood->second(target);
    while (!stopped) {
      if (left_of_share() < 0) {
        wait_ms(1);
      } else if (step()) {
        ++sent;
      } else {
        wait_ms(kShortMs);
      }
    }
  }
  spinner.join();
  std::printf("%llu\n", static_cast<unsigned long long>(sent));
  return 0;
}

}  // namespace
}  // namespace muster::testing

int main(int argc, char** argv) { return muster::testing::run(argc, argv); }
