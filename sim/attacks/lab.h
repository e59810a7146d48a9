// Lab: a population of miners in one process, honest and not, trained and judged with the real
// parts: assignment, compression, screening, scoring, rating, tally and aggregate. Only messages,
// keys and time are left out, so that many seeds of a real small language model fit in minutes.
//
// Two ways to put an attack in. *Scored* attacks enter no aggregate. Each is judged in a company of
// its own, the honest miners and it alone, and all of them have the same uid and the same data: so
// what a lab finds of an attack does not depend on the other attacks in the lab. *Aggregated*
// attackers take part like everybody. Thread safety: none; one thread per lab.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/inner_loop.h"
#include "protocol/loss_probe.h"
#include "protocol/params.h"
#include "sim/attacks/adversary.h"
#include "verify/rating_book.h"

namespace muster::sim {

// The model that is trained, behind the interfaces that miners and validators use.
struct LabModel {
  std::function<Result<std::unique_ptr<protocol::InnerLoop>>(std::span<const float> theta,
                                                             const LocalTraining&)>
      inner_loop;
  std::function<Result<std::unique_ptr<protocol::LossProbe>>(std::span<const float> theta)>
      loss_probe;
};

// Uids that scored labs keep for an attack; one of a single hotkey leaves the second one idle.
inline constexpr std::uint32_t kScoredPlaces = 2;

struct LabConfig {
  protocol::ProtocolParams params;  // rounds > 0; the seed of all is model_seed
  std::uint32_t honest = 6;
  std::vector<const Attack*> attackers;  // scored: all hotkeys of each; aggregated: a miner each
  bool aggregated = false;               // whether the attackers' payloads can enter the aggregate
  std::uint32_t validators = 1;          // each with draws of its own
  // Share of the miners that a validator has time to measure in a round, 0..1. Below one miner: one
  // every few rounds.
  double measured_share = 1;
  std::uint32_t held_out_every = 10;                // rounds
  std::shared_ptr<const std::vector<float>> start;  // θ before round 0; none: that of the seed
  std::function<void(Round)> round_done =
      {};  // told of each round, on the lab's thread; may be none
};

// What became of a miner in a round, in the eyes of the first validator.
struct Observation {
  protocol::Verdict verdict = protocol::Verdict::kAbstain;
  protocol::Evaluation evaluation;
  double mean = 0, lower_bound = 0;  // of its rating afterwards
  double share = 0;                  // of the best miners' work, afterwards
  std::uint16_t weight = 0;          // afterwards
  double trained = 0;                // share of the sequences that it was assigned
  double pay = 0;  // weight over the mean weight of the honest miners; 0 while those have none
  bool operator==(const Observation&) const = default;
};

// What all validators together made of honest miners.
struct HonestTotals {
  std::uint64_t judged = 0, refused = 0;  // payloads; of these screened out or gated
  HonestTotals& operator+=(const HonestTotals& other) {
    judged += other.judged;
    refused += other.refused;
    return *this;
  }
  bool operator==(const HonestTotals&) const = default;
};

struct LabMiner {
  const Attack* attack = nullptr;  // none: honest
  std::uint32_t hotkey = 0;        // which of the attack's
  std::vector<Observation> rounds;
  std::vector<std::uint16_t> weights;  // per validator, at the end
  HonestTotals
      beside;  // of an attack: the honest miners of its company; of an honest miner: itself
};

struct LabReport {
  std::vector<LabMiner> miners;                            // the honest ones first
  std::vector<std::pair<std::uint64_t, double>> held_out;  // after so many rounds: loss
  [[nodiscard]] double final_loss() const { return held_out.back().second; }
};

// Errors: those of model and data; kCancelled.
[[nodiscard]] Result<LabReport> run_lab(const LabConfig& config, const LabModel& model,
                                        const std::atomic<bool>& stop);

}  // namespace muster::sim
