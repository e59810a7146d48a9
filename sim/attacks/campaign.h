// Campaign: all attacks over many seeds, and the figures that say whether they paid.
//
// Two kinds of labs: in *scored* ones every attack is judged beside honest miners and enters no
// aggregate; in *harm* ones copies of one attack take a share of the population and are aggregated
// like everybody, to be compared with the same honest miners without them. Labs are independent:
// they may run in any order and on several threads, and what one finds of an attack does not depend
// on the other attacks in it. So the results of many labs, also of earlier campaigns, make up one
// set of figures. Thread safety: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/attacks/lab.h"

namespace muster::sim {

// Results of different rules are not comparable. Raise this with every change that alters what a
// lab finds and that the parameters do not name: of draws, screening, scores, ratings, the
// aggregate, the attacks or the lab.
inline constexpr std::uint32_t kRulesVersion = 2;

struct CampaignConfig {
  protocol::ProtocolParams params;
  std::vector<const Attack*> attacks;
  std::vector<std::uint64_t> scored_seeds;
  std::map<std::uint32_t, std::vector<std::uint64_t>> harm_seeds;  // by percent of attackers
  std::uint32_t honest = 6;                                        // in scored labs
  std::uint32_t validators = 2;                                    // in scored labs
  double measured_share = 1;                                       // as in LabConfig
  std::uint32_t population = 10;                                   // in harm labs, all together
  std::uint32_t settled = 30;  // rounds before the figures begin
};

// What a result was measured under: kRulesVersion and everything but seeds, attacks and data.
[[nodiscard]] Hash rules_of(const CampaignConfig& config);

// What a lab found of a miner; of an attack with several hotkeys and of the attackers of a harm
// lab: of them together. Shares and means are of rounds from CampaignConfig::settled on, rounded to
// 4 decimals, so that a text holds them.
struct Career {
  const Attack* attack = nullptr;  // none: an honest miner
  std::uint64_t seed = 0;
  std::uint32_t percent = 0;  // of attackers in a harm lab; 0: a scored lab
  std::uint32_t miner = 0;    // which of the honest ones
  double work = 1;            // share of an honest miner's
  double screened = 0,
         gated = 0;             // of what was judged: by the screen; passed it and failed the gate
  double unpaid = 0;            // of the rounds
  double score = 0, share = 0;  // means of measured payloads, 0 without any
  std::uint64_t judged = 0,
                measured = 0;  // payloads behind `screened` and `gated`, behind `score` and `share`
  // By round, in shares of an honest miner's: sum over the hotkeys of a machine, mean over
  // attackers of a harm lab.
  std::vector<double> pay;
  std::vector<std::uint16_t> weights;  // per validator, at the end, of the first hotkey
  HonestTotals beside;                 // as in LabMiner
  // Rounds of an honest miner after its fourth evaluation with weight zero: before `settled`, and
  // from then on. In harm labs: of all honest miners.
  std::uint64_t unpaid_early = 0, unpaid_settled = 0;
  // Harm labs: held-out loss after so many rounds, and each honest miner's mean weight over the
  // largest one.
  std::vector<std::pair<std::uint64_t, double>> held_out;
  std::vector<double> honest_pay;
  bool operator==(const Career&) const = default;
};

// One lab of a campaign.
struct CampaignJob {
  std::string name;                // for progress
  const Attack* attack = nullptr;  // harm: of whom; none: the honest miners alone
  std::uint32_t percent = 0;       // harm: of attackers; 0: a scored lab
  std::uint64_t seed = 0;
  LabConfig lab;
};
// What `known` lacks: a scored lab for each seed, a harm lab for each attack, percent and seed.
// Harm labs start from a θ that knows something, since from scratch chance decides more than
// attackers do; it is the caller's to put in.
[[nodiscard]] std::vector<CampaignJob> jobs_of(const CampaignConfig& config,
                                               const std::vector<Career>& known = {});
// In a job's order of miners.
[[nodiscard]] std::vector<Career> careers_of(const CampaignConfig& config, const CampaignJob& job,
                                             const LabReport& report);

// Over all seeds, from round `settled` on unless said otherwise.
struct AttackFigures {
  const Attack* attack = nullptr;  // none: the honest miners
  std::size_t seeds = 0;           // behind all but `harm`
  double work = 1;                 // share of an honest miner's
  double screened = 0;             // share of its payloads that the screen rejected
  double gated = 0;                // share that passed the screen and failed the gate
  double unpaid = 0;               // share of rounds with weight zero
  double score = 0;                // mean, of everything together
  double share = 0;                // mean, of the best miners' work
  double pay = 0;  // mean weight over that of an honest miner; of a machine's hotkeys together
  double pay_worst = 0;  // of the seeds, the highest (honest: the lowest)
  double settles =
      0;  // rounds from its start, or its turning, until its pay is within the limit for good
  std::vector<double> pay_by_round;  // mean over seeds, from round 0
  struct Harm {
    std::size_t seeds = 0;
    double loss = 0;                  // final, over that without the attackers, less 1
    double pay = 0;                   // of an attacker
    double victim = 0;                // what the first honest miner loses of its pay
    std::uint64_t honest_unpaid = 0;  // settled rounds of honest miners with weight zero
  };
  std::map<std::uint32_t, Harm> harm;  // by percent; means over seeds
  // What it may earn at most: its share of the work and 5 points in the mean of the seeds, 10
  // points in any of them.
  [[nodiscard]] double pay_limit() const;
  [[nodiscard]] double worst_limit() const { return pay_limit() + 0.05; }
};

struct CampaignFigures {
  AttackFigures honest;
  std::vector<AttackFigures> attacks;  // of those that there are results of
  double honest_refused = 0;  // share of honest payloads that a validator screened out or gated
  // Rounds after a fourth evaluation in which an honest miner had weight zero, of so many: before
  // `settled`, and from then on.
  std::uint64_t honest_unpaid_early = 0, honest_unpaid = 0;
  double agreement =
      0;  // Kendall's τ-b between two validators' weights, mean over seeds; 1 for one validator
  std::map<std::uint32_t, double> loss;  // final, of the honest miners alone, by percent
  // Names what misses its target; empty: nothing does.
  [[nodiscard]] std::vector<std::string> missed() const;
};

// Of the config's attacks and seeds. A harm lab without its counterpart, the honest miners alone,
// says nothing.
[[nodiscard]] CampaignFigures figures_of(const CampaignConfig& config,
                                         const std::vector<Career>& careers);

// Kendall's τ-b of two rankings, which corrects for ties; 1 when both are constant.
// (Kendall, "The treatment of ties in ranking problems", Biometrika 1945.) REQUIRES: equal lengths.
[[nodiscard]] double kendall_tau_b(const std::vector<std::uint16_t>& a,
                                   const std::vector<std::uint16_t>& b);

}  // namespace muster::sim
