#include "sim/attacks/campaign.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace muster::sim {
namespace {

using protocol::Basis;

constexpr std::uint32_t kScoredValidators = 2;

LabConfig lab_of(const CampaignConfig& config, std::uint64_t seed) {
  LabConfig lab;
  lab.params = config.params;
  lab.params.model_seed = seed;
  lab.measured_per_round = config.measured_per_round;
  return lab;
}

struct Mean {
  double sum = 0;
  std::uint64_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  [[nodiscard]] double value() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

// Figures of one kind of miner over its careers, a career per seed (and honest miner).
class Careers {
 public:
  Careers(const Attack* attack, std::uint32_t settled) : settled_(settled) { figures_.attack = attack; }

  void add(const LabMiner& miner) {
    Mean pay;
    by_round_.resize(std::max(by_round_.size(), miner.rounds.size()));
    for (std::size_t r = 0; r < miner.rounds.size(); ++r) {
      const Observation& seen = miner.rounds[r];
      by_round_[r].add(seen.pay);
      if (r < settled_) continue;
      trained_.add(seen.trained);
      pay.add(seen.pay);
      unpaid_.add(seen.weight == 0);
      const bool screened = seen.evaluation.basis == Basis::kRejected;
      if (!screened && seen.evaluation.basis != Basis::kMeasured) continue;
      if (!screened) {
        score_.add(seen.evaluation.scores.all_e3 / 1000.0);
        share_.add(seen.share);
      }
      screened_.add(screened);
      gated_.add(!screened && !seen.evaluation.gate_passed);
    }
    pays_.push_back(pay.value());
    if (miner.attack != nullptr) figures_.work = miner.attack->work.value_or(trained_.value());
    settles_.add(settling(miner));
  }

  [[nodiscard]] AttackFigures figures() {
    figures_.screened = screened_.value();
    figures_.gated = gated_.value();
    figures_.unpaid = unpaid_.value();
    figures_.score = score_.value();
    figures_.share = share_.value();
    figures_.settles = settles_.value();
    for (const double pay : pays_) figures_.pay += pay / static_cast<double>(pays_.size());
    if (!pays_.empty())
      figures_.pay_worst = figures_.attack == nullptr ? *std::ranges::min_element(pays_)
                                                      : *std::ranges::max_element(pays_);
    for (const Mean& round : by_round_) figures_.pay_by_round.push_back(round.value());
    return figures_;
  }

 private:
  [[nodiscard]] double settling(const LabMiner& miner) const {
    const std::uint64_t start = miner.attack != nullptr && miner.attack->turns ? miner.attack->turns->value : 0;
    std::uint64_t settled = start;
    for (std::uint64_t r = start; r < miner.rounds.size(); ++r)
      if (miner.attack != nullptr && miner.rounds[r].pay > figures_.pay_limit()) settled = r + 1;
    return static_cast<double>(settled - start);
  }

  std::uint32_t settled_;
  AttackFigures figures_;
  std::vector<Mean> by_round_;
  std::vector<double> pays_;
  Mean trained_, screened_, gated_, unpaid_, score_, share_, settles_;
};

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * share);
  return text;
}

// Rounds of [first, last) after the fourth evaluation with weight zero.
std::uint64_t unpaid_after_fourth(const LabMiner& miner, std::size_t first, std::size_t last) {
  std::uint32_t evaluations = 0;
  std::uint64_t unpaid = 0;
  for (std::size_t r = 0; r < std::min(last, miner.rounds.size()); ++r) {
    const Observation& seen = miner.rounds[r];
    const Basis basis = seen.evaluation.basis;
    evaluations += (basis == Basis::kMeasured || basis == Basis::kRejected) && seen.evaluation.round.value > 0;
    unpaid += r >= first && evaluations >= verify::kEvaluationsBeforePay && seen.weight == 0;
  }
  return unpaid;
}

}  // namespace

double AttackFigures::pay_limit() const {
  if (attack == nullptr || work >= 1) return 1e9;
  return work + 0.05;
}

std::vector<CampaignJob> jobs_of(const CampaignConfig& config) {
  std::vector<CampaignJob> jobs;
  for (const std::uint64_t seed : config.scored_seeds) {
    LabConfig lab = lab_of(config, seed);
    lab.honest = config.honest;
    lab.attackers = config.attacks;
    lab.validators = kScoredValidators;
    jobs.push_back({"scored, seed " + std::to_string(seed), nullptr, 0, seed, std::move(lab)});
  }
  for (const auto& [percent, seeds] : config.harm_seeds) {
    const auto attackers = (config.population * percent + 50) / 100;
    for (const std::uint64_t seed : seeds) {
      std::vector<const Attack*> whose{nullptr};
      whose.insert(whose.end(), config.attacks.begin(), config.attacks.end());
      for (const Attack* attack : whose) {
        LabConfig lab = lab_of(config, seed);
        lab.honest = config.population - attackers;
        lab.aggregated = true;
        lab.attackers.assign(attackers, attack == nullptr ? &nobody() : attack);
        if (const auto start = config.starts.find(seed); start != config.starts.end()) lab.start = start->second;
        jobs.push_back({(attack == nullptr ? std::string("honest alone") : std::string(attack->name)) + " at " +
                            std::to_string(percent) + " %, seed " + std::to_string(seed),
                        attack, percent, seed, std::move(lab)});
      }
    }
  }
  return jobs;
}

CampaignFigures figures_of(const CampaignConfig& config, const std::vector<LabReport>& reports) {
  const auto jobs = jobs_of(config);
  MUSTER_CHECK(jobs.size() == reports.size(), "a report per job");
  CampaignFigures figures;
  Careers honest(nullptr, config.settled);
  std::map<const Attack*, Careers> careers;
  for (const Attack* attack : config.attacks) careers.emplace(attack, Careers(attack, config.settled));
  std::uint64_t judged = 0, refused = 0;
  Mean agreement;
  std::map<std::pair<std::uint32_t, std::uint64_t>, double> alone;  // by percent and seed
  std::map<const Attack*, std::map<std::uint32_t, Mean>> harm;
  std::map<std::uint32_t, Mean> loss;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const LabReport& report = reports[j];
    if (jobs[j].percent > 0) {
      const double final = report.final_loss();
      const auto place = std::pair{jobs[j].percent, jobs[j].seed};
      if (jobs[j].attack == nullptr) {
        alone[place] = final;
        loss[jobs[j].percent].add(final);
      } else {
        harm[jobs[j].attack][jobs[j].percent].add(final / alone.at(place) - 1);
      }
      continue;
    }
    judged += report.honest_judged;
    refused += report.honest_refused;
    agreement.add(kendall_tau_b(report.weights.front(), report.weights.back()));
    for (const LabMiner& miner : report.miners) {
      if (miner.attack == nullptr) {
        figures.honest_unpaid_early += unpaid_after_fourth(miner, 0, config.settled);
        figures.honest_unpaid += unpaid_after_fourth(miner, config.settled, miner.rounds.size());
      }
      (miner.attack == nullptr ? honest : careers.at(miner.attack)).add(miner);
    }
  }
  figures.honest = honest.figures();
  for (const Attack* attack : config.attacks) {
    figures.attacks.push_back(careers.at(attack).figures());
    for (const auto& [share, mean] : harm[attack]) figures.attacks.back().harm[share] = mean.value();
  }
  for (const auto& [share, mean] : loss) figures.loss[share] = mean.value();
  figures.honest_refused = judged == 0 ? 0 : static_cast<double>(refused) / static_cast<double>(judged);
  figures.agreement = agreement.value();
  return figures;
}

std::vector<std::string> CampaignFigures::missed() const {
  std::vector<std::string> missed;
  for (const AttackFigures& figures : attacks) {
    const std::string name(figures.attack->name);
    if (figures.pay > figures.pay_limit())
      missed.push_back(name + " earns " + percent(figures.pay) + " of an honest miner, more than " +
                       percent(figures.pay_limit()));
    if (figures.pay_worst > figures.worst_limit())
      missed.push_back(name + " earns " + percent(figures.pay_worst) + " of an honest miner in one seed, more than " +
                       percent(figures.worst_limit()));
    const auto harm = figures.harm.find(30);
    if (harm != figures.harm.end() && harm->second > 0.02)
      missed.push_back(name + " at 30 % raises the final loss by " + percent(harm->second) + ", more than 2 %");
  }
  if (honest_refused > 0.005)
    missed.push_back(percent(honest_refused) + " of honest payloads were refused, more than 0.5 %");
  if (honest_unpaid > 0)
    missed.push_back("honest miners had weight zero in " + std::to_string(honest_unpaid) +
                     " settled rounds after their fourth evaluation");
  if (!honest.pay_by_round.empty() && agreement < 0.9) {
    char text[80];
    std::snprintf(text, sizeof(text), "two validators' weights agree to τ = %.2f, less than 0.9", agreement);
    missed.push_back(text);
  }
  return missed;
}

double kendall_tau_b(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b) {
  MUSTER_CHECK(a.size() == b.size(), "rankings of the same things");
  std::int64_t concordance = 0, untied_a = 0, untied_b = 0;
  auto sign = [](std::uint16_t x, std::uint16_t y) { return (x > y) - (x < y); };
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const int of_a = sign(a[i], a[j]), of_b = sign(b[i], b[j]);
      concordance += of_a * of_b;
      untied_a += of_a != 0;
      untied_b += of_b != 0;
    }
  }
  if (untied_a == 0 && untied_b == 0) return 1;
  if (untied_a == 0 || untied_b == 0) return 0;
  return static_cast<double>(concordance) /
         std::sqrt(static_cast<double>(untied_a) * static_cast<double>(untied_b));
}

}  // namespace muster::sim
