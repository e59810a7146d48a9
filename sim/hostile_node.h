// HostileNode: a registered hotkey that sends whatever it likes: any well-signed message and any
// blob, made from what it has seen, at any time.
//
// It is no attack with a plan, but a fuzzer of rounds: it keeps to the protocol just well enough to
// be in rosters, and breaks each of its rules now and then. Thread safety: none.
#pragma once

#include <deque>

#include "sim/nodes.h"

namespace muster::sim {

class HostileNode final : public FollowerNode {
 public:
  HostileNode(Surroundings& world, NodeId id, std::string name, const Seed& seed,
              CoordinatorNode& coordinator, Role role);
  void receive(const Bytes& message) override;
  [[nodiscard]] Round reached() const override { return {}; }

 private:
  void start_core() override { act_soon(); }
  void stop_core() override {}
  void tick_core() override {}
  void receive_blob(const Hash&, const Bytes&) override {}

  void act_soon();
  void act();
  void send_ready();
  void send_commit();
  void send_reveal();
  void send_screen();
  void send_attest();
  void send_dispute();
  void send_again();
  void send_garbage();
  void send_foreign_type();
  void upload_anything();

  // A position that it has seen, mostly the newest.
  [[nodiscard]] protocol::Position position();
  [[nodiscard]] Hash any_hash();
  [[nodiscard]] Hash known_blob();
  [[nodiscard]] Bytes any_message();
  [[nodiscard]] Bytes some_payload(const protocol::Position& at);
  void upload(const Hash& id, Bytes blob);
  template <class Message>
  void sign_and_send(const Message& message);

  Role role_;
  std::deque<protocol::Position> positions_;  // newest last
  std::deque<Bytes> seen_;                    // messages of anybody
  std::optional<protocol::RoundOpen> open_;   // the newest
  Hash theta_root_;                           // as validators attest it
  Hash commit_root_;                          // of the newest close
};

}  // namespace muster::sim
