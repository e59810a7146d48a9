// Checkers: the invariants of a run, watched from outside by somebody who sees every node.
//
// Thread safety: none.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocol/round_record.h"

namespace muster::sim {

class Checkers {
 public:
  explicit Checkers(const PublicKey& coordinator) : coordinator_(coordinator) {}

  void set_honest(const PublicKey& hotkey) { honest_.insert(hotkey); }
  [[nodiscard]] bool is_honest(const PublicKey& hotkey) const { return honest_.contains(hotkey); }

  // Every message that leaves anybody. What others replay under somebody's name is not that node's.
  void saw_message(const PublicKey& from, ByteSpan bytes);
  // What a manifest rests on, as the coordinator made it.
  void saw_record(Round round, const protocol::SealRecord& record);
  // A node has applied the manifest before `round` and hashed its own θ.
  void saw_state(const std::string& node, Round round, const Hash& state_id,
                 const Hash& theta_root);
  // A node's θ was damaged on purpose: it must find that out, and be right again in the end.
  void saw_damage(const std::string& node) { damaged_.insert(node); }
  [[nodiscard]] bool damage_left() const { return !damaged_.empty(); }
  // An honest node's proof against the coordinator: in an honest world there is none.
  void saw_accusation(const std::string& node, const std::string& what);
  // What an audit of the run found afterwards.
  void saw_finding(const std::string& finding) { violate("audit: " + finding); }
  // The others contradict an honest validator.
  void saw_lost_vote(Uid validator) {
    violate("validator " + std::to_string(validator.value) + " lost its vote");
  }
  // At the end: nodes that should have reached the last state.
  void check_reached(const std::string& node, Round reached, Round expected);

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  void violate(std::string what);
  void check_close(const wire::Envelope& envelope);

  PublicKey coordinator_;
  std::set<PublicKey> honest_;
  std::map<std::pair<std::uint8_t, Round>, Hash> once_;  // coordinator's messages by type and round
  struct SeenCommit {
    Round round;
    Hash payload_id;
    PublicKey sender;
  };
  std::map<Hash, SeenCommit> commits_;  // by message hash
  std::set<Hash> acknowledged_commits_;
  std::set<Hash> acknowledged_blobs_;
  std::map<Round, std::pair<Hash, Hash>> states_;  // first seen: state id and θ root
  std::set<std::string> damaged_;
  std::set<std::string> reported_;
  std::vector<std::string> violations_;
};

}  // namespace muster::sim
