// World: one simulated network: the real coordinator, miner and validator cores on one thread, over
// a simulated clock, network and disk, with an analytic model, crashes, cheaters and invariant
// checkers.
//
// Everything follows from the seed: a failure is replayed with `muster sim --seed N`.
// Thread safety: none; use one World per thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/messages.h"
#include "protocol/params.h"
#include "sim/attacks/adversary.h"
#include "sim/attacks/tamper.h"
#include "sim/network.h"

namespace muster::sim {

// Bugs that a checker must find, one at a time; kNone in every real run.
enum class PlantedBug {
  kNone,
  kForkedManifest,     // the coordinator signs two manifests of one round
  kForkedClose,        // the coordinator shows one validator another close than the others
  kFlippedBit,         // one bit of one miner's θ changes
  kUnacceptedPayload,  // the coordinator aggregates a payload that is not accepted
  kVolatileJournal,    // the coordinator's disk acknowledges before it is durable
  kForgetfulMiner,     // a miner's journal is lost in a crash, and it trains differently afterwards
  kKeptUploads,        // the coordinator keeps what no close lists
  kUnnotedRestart,     // a node does not record which records its saved state lacks
  kUnboundedDisputes,  // the coordinator keeps every Dispute that arrives
  kDeafToOne,  // the coordinator acknowledges no commit of the first miner, and leaves it out of
               // its closes
  kLedgerGoesBack,  // the ledger loses blocks that it has signed
  kLyingRoster,     // the coordinator gives the last validator most of the stake, which the ledger
                    // does not
};

struct WorldConfig {
  std::uint64_t seed = 1;
  std::uint32_t miners = 8;    // honest ones and cheaters together
  std::uint32_t cheaters = 2;  // of them: alternately noise, replay, key withheld, equivocation
  std::uint32_t validators = 3;
  std::uint32_t rounds = 20;
  NetworkFaults faults;
  double crash_per_action = 0;  // chance that a node crashes after any one action
  bool partitions = true;
  std::uint32_t hostiles =
      0;  // registered hotkeys that send whatever they like, besides the others
  std::uint32_t late_joiners = 0;  // of the honest miners: they start in the midst of the run
  std::uint32_t checkpoint_every = 4;
  std::uint32_t offer_after = 3;
  std::uint32_t rounds_until_opened = 1;         // VerificationParams::sealed_rounds
  std::optional<Round> folder_lost_before = {};  // the first validator's, once
  double bit_flips_per_round =
      0;  // chance that one bit of a follower's θ flips after a round, once
  TimeMs time_limit_ms = 4 * 3600 * 1000;  // simulated
  NodeId adversary = 0;                    // of a protocol attack: a miner or validator; 0: nobody
  std::uint32_t adversaries = 1;           // so many, with the ids from `adversary` on
  bool adversaries_have_stake = true;      // of validators
  TimeMs honest_delay_ms = 0;              // by which the others take longer to train and to screen
  std::shared_ptr<Tamper> tamper;          // what leaves them instead of what their cores send
  std::shared_ptr<Adversary> (*conduct)(const AdversaryContext&) = nullptr;  // for a miner
  PlantedBug bug = PlantedBug::kNone;
  bool stop_at_violation = true;  // with a planted bug: one is enough

  [[nodiscard]] bool is_adversary(NodeId id) const {
    return adversary != 0 && id >= adversary && id - adversary < adversaries;
  }
};

// Faults drawn from the seed, so that many seeds cover mild and harsh worlds.
[[nodiscard]] WorldConfig random_world(std::uint64_t seed);

struct WorldReport {
  std::uint64_t seed = 0;
  std::uint64_t sealed_rounds = 0;
  std::uint64_t null_rounds = 0;
  std::uint64_t crashes = 0;
  std::uint64_t bit_flips = 0;
  std::uint64_t joins = 0;                  // checkpoints taken
  std::uint64_t restarts_from_genesis = 0;  // nodes that started over
  std::uint64_t messages = 0;
  std::uint64_t hostile_steps = 0;
  TimeMs simulated_ms = 0;
  double loss_first = 0;
  double loss_last = 0;
  std::uint64_t honest_accepted = 0;  // payloads of honest miners in aggregates
  std::uint64_t honest_rejected = 0;  // by the tally
  std::uint64_t honest_missed = 0;  // rounds in which an honest miner of the roster was not in time
  std::uint64_t cheater_accepted = 0;
  std::uint64_t unscreened_rounds = 0;  // sealed without the Screen of a validator with stake
  std::map<Uid, std::map<protocol::OutcomeCode, std::uint64_t>> outcomes;  // rounds
  std::set<Uid> contradicted;  // validators with stake and, at the end, without a vote
  std::map<Uid, std::uint16_t>
      weights;                  // of miners at the end, the largest of the honest validators'
  std::set<std::string> notes;  // what honest nodes said in their logs
  std::vector<std::string> violations;  // of invariants; empty when all held
  [[nodiscard]] bool ok() const { return violations.empty(); }
};

// A world of few rounds with registered hotkeys among its nodes that send whatever they like; every
// second one with crashes, every third one with loss and partitions.
[[nodiscard]] WorldConfig hostile_world(std::uint64_t seed);

[[nodiscard]] WorldReport run_world(const WorldConfig& config);

// A run as its coordinator's disk has it afterwards, with the keys of all who signed: what audits
// are tried on.
struct RecordedRun {
  WorldReport report;
  protocol::ProtocolParams params;
  std::vector<float> initial_theta;
  std::vector<Bytes> messages;  // in the order of the archive
  std::map<Hash, Bytes> blobs;
  std::map<PublicKey, SigningKey> keys;
};
[[nodiscard]] RecordedRun record_world(const WorldConfig& config);

}  // namespace muster::sim
