// Campaign: all attacks over many seeds, and the figures that say whether they paid.
//
// Two kinds of labs: in *scored* ones every attack is judged beside honest miners and enters no aggregate; in
// *harm* ones copies of one attack take a share of the population and are aggregated like everybody, to be
// compared with the same honest miners without them. Labs are independent: they may run in any order and on
// several threads, the figures do not change. Thread safety: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/attacks/lab.h"

namespace muster::sim {

struct CampaignConfig {
  protocol::ProtocolParams params;
  std::vector<const Attack*> attacks;
  std::vector<std::uint64_t> scored_seeds;
  std::map<std::uint32_t, std::vector<std::uint64_t>> harm_seeds;  // by percent of attackers
  std::uint32_t honest = 6;      // in scored labs
  std::uint32_t measured_per_round = 0;  // as in LabConfig
  std::uint32_t population = 10; // in harm labs, all together
  // θ that harm labs of a seed start from, since from scratch chance decides more than attackers do.
  std::map<std::uint64_t, std::shared_ptr<const std::vector<float>>> starts;
  std::uint32_t settled = 30;    // rounds before the figures begin
};

// One lab of a campaign.
struct CampaignJob {
  std::string name;  // for progress
  const Attack* attack = nullptr;  // harm: of whom; none: the honest miners alone
  std::uint32_t percent = 0;       // harm: of attackers; 0: a scored lab
  std::uint64_t seed = 0;
  LabConfig lab;
};
[[nodiscard]] std::vector<CampaignJob> jobs_of(const CampaignConfig& config);

// Over all seeds, from round `settled` on unless said otherwise.
struct AttackFigures {
  const Attack* attack = nullptr;  // none: the honest miners
  double work = 1;         // share of an honest miner's
  double screened = 0;     // share of its payloads that the screen rejected
  double gated = 0;        // share that passed the screen and failed the gate
  double unpaid = 0;       // share of rounds with weight zero
  double score = 0;        // mean, of everything together
  double share = 0;        // mean, of the best miners' work
  double pay = 0;          // mean weight over that of an honest miner
  double pay_worst = 0;    // of the seeds, the highest (honest: the lowest)
  double settles = 0;      // rounds from its start, or its turning, until its pay is within the limit for good
  std::vector<double> pay_by_round;        // mean over seeds, from round 0
  std::map<std::uint32_t, double> harm;    // by percent: final loss over that without it, less 1; mean over seeds
  // What it may earn at most: its share of the work and 5 points in the mean of the seeds, 10 points in any of them.
  [[nodiscard]] double pay_limit() const;
  [[nodiscard]] double worst_limit() const { return pay_limit() + 0.05; }
};

struct CampaignFigures {
  AttackFigures honest;
  std::vector<AttackFigures> attacks;
  double honest_refused = 0;     // share of honest payloads that a validator screened out or gated
  // Rounds after a fourth evaluation in which an honest miner had weight zero: before `settled`, and from then on.
  std::uint64_t honest_unpaid_early = 0, honest_unpaid = 0;
  double agreement = 0;          // Kendall's τ-b between two validators' weights, mean over seeds
  std::map<std::uint32_t, double> loss;  // final, of the honest miners alone, by percent
  // Names what misses its target; empty: nothing does.
  [[nodiscard]] std::vector<std::string> missed() const;
};

// `reports` in the order of jobs_of(config).
[[nodiscard]] CampaignFigures figures_of(const CampaignConfig& config,
                                         const std::vector<LabReport>& reports);

// Kendall's τ-b of two rankings, which corrects for ties; 1 when both are constant.
// (Kendall, "The treatment of ties in ranking problems", Biometrika 1945.) REQUIRES: equal lengths.
[[nodiscard]] double kendall_tau_b(const std::vector<std::uint16_t>& a,
                                   const std::vector<std::uint16_t>& b);

}  // namespace muster::sim
