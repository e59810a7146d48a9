#include "sim/attacks/campaign.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

namespace muster::sim {
namespace {

using protocol::Basis;

struct Mean {
  double sum = 0;
  std::uint64_t count = 0;
  void add(double value, std::uint64_t times = 1) {
    sum += value * static_cast<double>(times);
    count += times;
  }
  [[nodiscard]] double value() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * share);
  return text;
}

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

// Rounds of [first, last) after the fourth evaluation with weight zero.
std::uint64_t unpaid_after_fourth(const LabMiner& miner, std::size_t first, std::size_t last) {
  std::uint32_t evaluations = 0;
  std::uint64_t unpaid = 0;
  for (std::size_t r = 0; r < std::min(last, miner.rounds.size()); ++r) {
    const Observation& seen = miner.rounds[r];
    const Basis basis = seen.evaluation.basis;
    evaluations +=
        (basis == Basis::kMeasured || basis == Basis::kRejected) && seen.evaluation.round.value > 0;
    unpaid += r >= first && evaluations >= verify::kEvaluationsBeforePay && seen.weight == 0;
  }
  return unpaid;
}

// Makes one career of one or several miners.
class CareerMaker {
 public:
  CareerMaker(const CampaignConfig& config, const CampaignJob& job, const LabMiner& first)
      : settled_(config.settled) {
    career_.attack = first.attack;
    career_.seed = job.seed;
    career_.percent = job.percent;
    career_.weights = first.weights;
    career_.beside = first.beside;
  }

  void add(const LabMiner& miner) {
    ++miners_;
    career_.pay.resize(std::max(career_.pay.size(), miner.rounds.size()));
    for (std::size_t r = 0; r < miner.rounds.size(); ++r) {
      const Observation& seen = miner.rounds[r];
      career_.pay[r] += seen.pay;
      if (r >= settled_) add(seen);
    }
    if (miner.attack != nullptr) return;
    career_.unpaid_early += unpaid_after_fourth(miner, 0, settled_);
    career_.unpaid_settled += unpaid_after_fourth(miner, settled_, miner.rounds.size());
  }

  // `pay`: what the sum of the miners' pay is divided by.
  [[nodiscard]] Career career(double pay) {
    for (double& of_round : career_.pay) of_round = rounded(of_round / pay);
    const Attack* attack = career_.attack;
    if (attack != nullptr)
      career_.work =
          rounded(attack->work.value_or(trained_.value()) * static_cast<double>(miners_) / pay);
    career_.screened = rounded(screened_.value());
    career_.gated = rounded(gated_.value());
    career_.unpaid = rounded(unpaid_.value());
    career_.score = rounded(score_.value());
    career_.share = rounded(share_.value());
    career_.judged = screened_.count;
    career_.measured = score_.count;
    return std::move(career_);
  }

 private:
  void add(const Observation& seen) {
    trained_.add(seen.trained);
    unpaid_.add(seen.weight == 0);
    const bool screened = seen.evaluation.basis == Basis::kRejected;
    if (!screened && seen.evaluation.basis != Basis::kMeasured) return;
    if (!screened) {
      score_.add(seen.evaluation.scores.all_e3 / 1000.0);
      share_.add(seen.share);
    }
    screened_.add(screened);
    gated_.add(!screened && !seen.evaluation.gate_passed);
  }

  std::uint32_t settled_;
  std::size_t miners_ = 0;
  Career career_;
  Mean trained_, screened_, gated_, unpaid_, score_, share_;
};

// Each honest miner's mean weight over the largest one, in settled rounds.
std::vector<double> honest_pay(const CampaignConfig& config, const LabReport& report) {
  std::vector<double> pays;
  for (const LabMiner& miner : report.miners) {
    if (miner.attack != nullptr) continue;
    Mean pay;
    for (std::size_t r = config.settled; r < miner.rounds.size(); ++r)
      pay.add(miner.rounds[r].weight / 65535.0);
    pays.push_back(rounded(pay.value()));
  }
  return pays;
}

Career harm_career(const CampaignConfig& config, const CampaignJob& job, const LabReport& report) {
  CareerMaker attackers(config, job, report.miners.back()),
      honest(config, job, report.miners.front());
  std::size_t count = 0;
  for (const LabMiner& miner : report.miners) {
    (miner.attack == nullptr ? honest : attackers).add(miner);
    count += miner.attack != nullptr;
  }
  const Career of_honest = honest.career(1);
  Career career = attackers.career(static_cast<double>(std::max<std::size_t>(count, 1)));
  career.attack = job.attack;
  career.weights.clear();
  career.unpaid_early = of_honest.unpaid_early;
  career.unpaid_settled = of_honest.unpaid_settled;
  for (const auto& [round, loss] : report.held_out)
    career.held_out.emplace_back(round, rounded(loss));
  career.honest_pay = honest_pay(config, report);
  return career;
}

// Figures of one kind of miner over its careers, a career per seed (and honest miner).
class Careers {
 public:
  Careers(const Attack* attack, std::uint32_t settled) : settled_(settled) {
    figures_.attack = attack;
  }

  void add(const Career& career) {
    seeds_.insert(career.seed);
    work_.add(career.work);
    screened_.add(career.screened, career.judged);
    gated_.add(career.gated, career.judged);
    score_.add(career.score, career.measured);
    share_.add(career.share, career.measured);
    unpaid_.add(career.unpaid);
    Mean pay;
    by_round_.resize(std::max(by_round_.size(), career.pay.size()));
    for (std::size_t r = 0; r < career.pay.size(); ++r) {
      by_round_[r].add(career.pay[r]);
      if (r >= settled_) pay.add(career.pay[r]);
    }
    pays_.push_back(pay.value());
    figures_.work = work_.value();
    settles_.add(settling(career));
  }

  [[nodiscard]] AttackFigures figures() {
    figures_.seeds = seeds_.size();
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
  [[nodiscard]] double settling(const Career& career) const {
    const std::uint64_t start =
        career.attack != nullptr && career.attack->turns ? career.attack->turns->value : 0;
    std::uint64_t settled = start;
    for (std::uint64_t r = start; r < career.pay.size(); ++r)
      if (career.attack != nullptr && career.pay[r] > figures_.pay_limit()) settled = r + 1;
    return static_cast<double>(settled - start);
  }

  std::uint32_t settled_;
  AttackFigures figures_;
  std::set<std::uint64_t> seeds_;
  std::vector<Mean> by_round_;
  std::vector<double> pays_;
  Mean work_, screened_, gated_, unpaid_, score_, share_, settles_;
};

LabConfig lab_of(const CampaignConfig& config, std::uint64_t seed) {
  LabConfig lab;
  lab.params = config.params;
  lab.params.model_seed = seed;
  lab.measured_share = config.measured_share;
  return lab;
}

bool is_known(const std::vector<Career>& known, const Attack* attack, std::uint32_t percent,
              std::uint64_t seed) {
  return std::ranges::any_of(known, [&](const Career& career) {
    return career.attack == attack && career.percent == percent && career.seed == seed;
  });
}

void add_harm_jobs(const CampaignConfig& config, const std::vector<Career>& known,
                   std::uint32_t percent, std::vector<CampaignJob>& jobs) {
  const auto attackers = (config.population * percent + 50) / 100;
  for (const std::uint64_t seed : config.harm_seeds.at(percent)) {
    std::vector<const Attack*> whose{nullptr};
    whose.insert(whose.end(), config.attacks.begin(), config.attacks.end());
    for (const Attack* attack : whose) {
      if (is_known(known, attack, percent, seed)) continue;
      LabConfig lab = lab_of(config, seed);
      lab.honest = config.population - attackers;
      lab.aggregated = true;
      lab.attackers.assign(attackers, attack == nullptr ? &nobody() : attack);
      jobs.push_back(
          {(attack == nullptr ? std::string("honest alone") : std::string(attack->name)) + " at " +
               std::to_string(percent) + " %, seed " + std::to_string(seed),
           attack, percent, seed, std::move(lab)});
    }
  }
}

}  // namespace

double AttackFigures::pay_limit() const { return attack == nullptr ? 1e9 : work + 0.05; }

Hash rules_of(const CampaignConfig& config) {
  protocol::ProtocolParams params = config.params;
  params.model_seed = 0;
  params.sequences = 0;
  params.data_root = {};
  ByteWriter lab;
  lab.write(kRulesVersion);
  for (const std::uint32_t value :
       {config.honest, config.validators, config.population, config.settled})
    lab.write(value);
  lab.write(static_cast<std::uint32_t>(std::lround(config.measured_share * 1e6)));
  return tagged_hash("muster/attack-rules", {protocol::run_id_of(params).bytes, lab.bytes()});
}

std::vector<CampaignJob> jobs_of(const CampaignConfig& config, const std::vector<Career>& known) {
  std::vector<CampaignJob> jobs;
  for (const std::uint64_t seed : config.scored_seeds) {
    LabConfig lab = lab_of(config, seed);
    lab.honest = config.honest;
    lab.validators = config.validators;
    for (const Attack* attack : config.attacks)
      if (!is_known(known, attack, 0, seed)) lab.attackers.push_back(attack);
    if (lab.attackers.empty() && is_known(known, nullptr, 0, seed)) continue;
    jobs.push_back({"scored, seed " + std::to_string(seed), nullptr, 0, seed, std::move(lab)});
  }
  for (const auto& [percent, seeds] : config.harm_seeds)
    add_harm_jobs(config, known, percent, jobs);
  return jobs;
}

std::vector<Career> careers_of(const CampaignConfig& config, const CampaignJob& job,
                               const LabReport& report) {
  if (job.percent > 0) return {harm_career(config, job, report)};
  std::vector<Career> careers;
  for (std::size_t m = 0; m < report.miners.size();) {
    const LabMiner& first = report.miners[m];
    CareerMaker maker(config, job, first);
    do {
      maker.add(report.miners[m++]);
    } while (m < report.miners.size() && report.miners[m].hotkey > 0);
    careers.push_back(maker.career(1));
    if (first.attack == nullptr) careers.back().miner = static_cast<std::uint32_t>(m - 1);
  }
  return careers;
}

namespace {

// Between the first two validators, over all miners of a seed.
double agreement_of(const std::vector<const Career*>& careers) {
  std::vector<std::uint16_t> a, b;
  for (const Career* career : careers) {
    if (career->weights.size() < 2) continue;
    a.push_back(career->weights[0]);
    b.push_back(career->weights[1]);
  }
  return kendall_tau_b(a, b);
}

using HarmMeans = std::map<const Attack*, std::map<std::uint32_t, AttackFigures::Harm>>;

// Of the harm careers, each against the honest miners alone; their final loss into `loss`.
HarmMeans harm_of(const CampaignConfig& config, const std::vector<const Career*>& careers,
                  std::map<std::uint32_t, double>& loss) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, const Career*> alone;  // by percent and seed
  std::map<std::uint32_t, Mean> losses;
  for (const Career* career : careers) {
    if (career->attack != nullptr) continue;
    alone[{career->percent, career->seed}] = career;
    losses[career->percent].add(career->held_out.back().second);
  }
  for (const auto& [percent, mean] : losses) loss[percent] = mean.value();
  HarmMeans harm;
  for (const Career* career : careers) {
    const auto without = alone.find({career->percent, career->seed});
    if (career->attack == nullptr || without == alone.end()) continue;
    Mean pay;
    for (std::size_t r = config.settled; r < career->pay.size(); ++r) pay.add(career->pay[r]);
    auto& figures = harm[career->attack][career->percent];
    const double of_one = 1 / static_cast<double>(++figures.seeds);
    const auto follow = [of_one](double& mean, double value) { mean += of_one * (value - mean); };
    follow(figures.loss,
           career->held_out.back().second / without->second->held_out.back().second - 1);
    follow(figures.pay, pay.value());
    const double before = without->second->honest_pay.front();
    follow(figures.victim, before > 0 ? 1 - career->honest_pay.front() / before : 0);
    figures.honest_unpaid += career->unpaid_settled;
  }
  return harm;
}

}  // namespace

CampaignFigures figures_of(const CampaignConfig& config, const std::vector<Career>& careers) {
  CampaignFigures figures;
  Careers honest(nullptr, config.settled);
  std::map<const Attack*, Careers> of_attacks;
  std::map<std::uint64_t, std::vector<const Career*>> by_seed;
  std::vector<const Career*> harmful;
  HonestTotals beside;
  for (const Career& career : careers) {
    if (career.attack != nullptr &&
        std::ranges::find(config.attacks, career.attack) == config.attacks.end())
      continue;
    if (career.percent > 0) {
      const auto seeds = config.harm_seeds.find(career.percent);
      if (seeds != config.harm_seeds.end() &&
          std::ranges::find(seeds->second, career.seed) != seeds->second.end())
        harmful.push_back(&career);
      continue;
    }
    if (std::ranges::find(config.scored_seeds, career.seed) == config.scored_seeds.end()) continue;
    by_seed[career.seed].push_back(&career);
    beside += career.beside;
    figures.honest_unpaid_early += career.unpaid_early;
    figures.honest_unpaid += career.unpaid_settled;
    if (career.attack == nullptr) {
      honest.add(career);
    } else {
      of_attacks.try_emplace(career.attack, career.attack, config.settled)
          .first->second.add(career);
    }
  }
  figures.honest = honest.figures();
  Mean agreement;
  for (const auto& [seed, of_seed] : by_seed) agreement.add(agreement_of(of_seed));
  figures.agreement = by_seed.empty() ? 1 : agreement.value();
  const auto harm = harm_of(config, harmful, figures.loss);
  for (const Attack* attack : config.attacks) {
    const auto scored = of_attacks.find(attack);
    const auto harms = harm.find(attack);
    if (scored == of_attacks.end() && harms == harm.end()) continue;
    figures.attacks.push_back(scored == of_attacks.end() ? AttackFigures{}
                                                         : scored->second.figures());
    figures.attacks.back().attack = attack;
    if (harms != harm.end()) figures.attacks.back().harm = harms->second;
  }
  figures.honest_refused =
      beside.judged == 0 ? 0
                         : static_cast<double>(beside.refused) / static_cast<double>(beside.judged);
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
      missed.push_back(name + " earns " + percent(figures.pay_worst) +
                       " of an honest miner in one seed, more than " +
                       percent(figures.worst_limit()));
    const auto harm = figures.harm.find(30);
    if (harm != figures.harm.end() && harm->second.loss > 0.02)
      missed.push_back(name + " at 30 % raises the final loss by " + percent(harm->second.loss) +
                       ", more than 2 %");
  }
  if (honest_refused > 0.005)
    missed.push_back(percent(honest_refused) + " of honest payloads were refused, more than 0.5 %");
  if (honest_unpaid > 0)
    missed.push_back("honest miners had weight zero in " + std::to_string(honest_unpaid) +
                     " settled rounds after their fourth evaluation");
  if (!honest.pay_by_round.empty() && agreement < 0.9) {
    char text[80];
    std::snprintf(text, sizeof(text), "two validators' weights agree to τ = %.2f, less than 0.9",
                  agreement);
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
