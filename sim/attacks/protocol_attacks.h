// Attacks on the protocol, by miners, validators and the coordinator, each run in whole simulated
// networks.
//
// Thread safety: none.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/messages.h"
#include "sim/attacks/adversary.h"
#include "sim/attacks/tamper.h"
#include "sim/world.h"

namespace muster::sim {

struct ProtocolAttack {
  std::string_view name;
  std::string_view what;
  Role role = Role::kMiner;
  // How the manifest names what a miner did; none: it is as if the miner were honest.
  std::optional<protocol::OutcomeCode> named;
  std::shared_ptr<Tamper> (*tamper)(std::uint64_t seed) = nullptr;
  std::shared_ptr<Adversary> (*conduct)(const AdversaryContext&) = nullptr;
  void (*arrange)(WorldConfig&) = nullptr;  // the network, where it is not the usual one
  // Of what validators accuse a coordinator.
  std::optional<protocol::DisputeReason> disputed = {};
  bool loses_vote = false;  // a validator, by the network's end
  // Part of what an honest node says in its log, where no message convicts anybody.
  std::string_view said = {};
};

[[nodiscard]] const std::vector<ProtocolAttack>& protocol_attacks();

// What became of one attack over many networks.
struct ProtocolFigures {
  const ProtocolAttack* attack = nullptr;
  std::uint64_t networks = 0;
  std::uint64_t rounds = 0;                                 // sealed with an aggregate
  std::uint64_t lost_rounds = 0;                            // null, or not reached
  std::map<protocol::OutcomeCode, std::uint64_t> outcomes;  // of the attacker, in rounds
  std::uint64_t honest_accepted = 0, honest_refused = 0, honest_missed = 0;
  std::uint64_t unscreened = 0;    // rounds sealed without the Screen of a validator with stake
  std::uint64_t disputed = 0;      // networks in which the coordinator was accused as it should be
  std::uint64_t said = 0;          // networks in which an honest node said what it should
  std::uint64_t without_vote = 0;  // networks at whose end the attacker has stake and no vote
  std::uint64_t paid = 0;          // networks at whose end a validator gives the attacker weight
  std::vector<std::string> violations;  // of invariants
  // Rounds in which the attacker was named as it should be; 0 where it should not be.
  [[nodiscard]] std::uint64_t named() const;
  // Names what should not be; empty: the attack came to nothing.
  [[nodiscard]] std::vector<std::string> missed() const;
};

// `seeds`: one calm network of 8 miners and 3 validators each, unless the attack arranges another;
// the attackers among them.
[[nodiscard]] ProtocolFigures try_protocol_attack(const ProtocolAttack& attack,
                                                  const std::vector<std::uint64_t>& seeds);

}  // namespace muster::sim
