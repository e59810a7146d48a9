// The lab with the analytic model: quick, and exact about what it does; the language model's
// figures come from `muster sim attacks`.
#include "sim/attacks/lab.h"

#include <gtest/gtest.h>

#include "sim/analytic_model.h"

namespace muster::sim {
namespace {

LabConfig config_with(std::uint64_t seed) {
  LabConfig config;
  auto& params = config.params;
  params.name = "lab";
  params.model = {.d_model = 16,
                  .layers = 1,
                  .heads = 2,
                  .kv_heads = 2,
                  .d_ff = 16,
                  .context = 8,
                  .vocab = 64,
                  .tied = true};
  params.model_seed = seed;
  params.sequences = 20'000;
  params.rounds = 12;
  params.training.inner_steps = 4;
  params.training.batch = 2;
  params.compression.schedule = {{12, 1024}};
  params.compression.error_feedback_decay = 0.95f;
  params.verification.screen_sequences = 8;
  params.verification.own_sequences = 6;
  params.verification.shared_sequences = 12;
  config.honest = 4;
  config.held_out_every = 6;
  return config;
}

class LabTest : public ::testing::Test {
 protected:
  static LabReport run(const LabConfig& config) {
    const AnalyticModel model(config.params.model_seed,
                              state::layout_of(config.params.model).parameters());
    const LabModel lab_model{
        [&](std::span<const float> theta,
            const LocalTraining&) -> Result<std::unique_ptr<protocol::InnerLoop>> {
          return std::unique_ptr<protocol::InnerLoop>(new AnalyticInnerLoop(
              config.params, model, std::vector<float>(theta.begin(), theta.end())));
        },
        [&](std::span<const float> theta) -> Result<std::unique_ptr<protocol::LossProbe>> {
          return std::unique_ptr<protocol::LossProbe>(new AnalyticLossProbe(
              config.params, model, std::vector<float>(theta.begin(), theta.end())));
        }};
    const std::atomic<bool> never{false};
    return run_lab(config, lab_model, never).value();
  }
  static std::vector<int> measured_by_round(const LabReport& report) {
    std::vector<int> measured(report.miners.front().rounds.size());
    for (const LabMiner& miner : report.miners)
      for (std::size_t r = 0; r < measured.size(); ++r)
        measured[r] += miner.rounds[r].evaluation.round.value > 0 &&
                       miner.rounds[r].evaluation.basis == protocol::Basis::kMeasured;
    return measured;
  }
};

TEST_F(LabTest, HonestMinersLowerTheLossAndAreObservedEveryRound) {
  const LabReport report = run(config_with(1));
  ASSERT_EQ(report.held_out.size(), 2u);
  EXPECT_LT(report.held_out[1].second, report.held_out[0].second);
  for (const LabMiner& miner : report.miners) EXPECT_EQ(miner.rounds.size(), 12u);
  for (const LabMiner& miner : report.miners)
    EXPECT_EQ(miner.beside.judged, 11u) << "nobody judges in round 0";
}

TEST_F(LabTest, RepeatsExactlyForASeed) {
  LabConfig config = config_with(2);
  config.attackers = {find_attack("noise"), find_attack("lazy-50")};
  const LabReport a = run(config), b = run(config);
  EXPECT_EQ(a.held_out, b.held_out);
  for (std::size_t m = 0; m < a.miners.size(); ++m)
    EXPECT_EQ(a.miners[m].weights, b.miners[m].weights);
}

TEST_F(LabTest, ScoredAttackersChangeNothingForTheHonestMiners) {
  const LabConfig alone = config_with(3);
  LabConfig with = config_with(3);
  with.attackers = {find_attack("noise"), find_attack("lazy-50")};
  const LabReport without = run(alone), beside = run(with);
  EXPECT_EQ(without.held_out, beside.held_out);
  for (std::size_t m = 0; m < alone.honest; ++m)
    EXPECT_EQ(without.miners[m].rounds, beside.miners[m].rounds);
}

TEST_F(LabTest, FindsTheSameOfAnAttackAloneAndAmongOthers) {
  LabConfig all = config_with(9);
  all.validators = 2;
  all.measured_share = 0.7;
  for (const Attack& attack : attacks()) all.attackers.push_back(&attack);
  const LabReport together = run(all);
  for (const std::size_t m :
       {all.honest + 0u, all.honest + 2u, static_cast<std::uint32_t>(together.miners.size() - 1)}) {
    const LabMiner& expected = together.miners[m];
    LabConfig one = all;
    one.attackers = {expected.attack};
    const LabReport alone = run(one);
    const LabMiner& found = alone.miners[one.honest + expected.hotkey];
    EXPECT_EQ(found.rounds, expected.rounds) << expected.attack->name;
    EXPECT_EQ(found.weights, expected.weights) << expected.attack->name;
    EXPECT_EQ(found.beside, expected.beside) << expected.attack->name;
  }
}

TEST_F(LabTest, AggregatedAttackersCanHarmButAreScreened) {
  LabConfig config = config_with(4);
  config.aggregated = true;
  config.attackers = {find_attack("sign-flip"), find_attack("noise")};
  const LabReport report = run(config);
  for (const LabMiner& miner : report.miners) {
    if (miner.attack == nullptr) continue;
    int refused = 0;
    for (const Observation& seen : miner.rounds) refused += !seen.evaluation.gate_passed;
    EXPECT_GE(refused, 10) << miner.attack->name;
    EXPECT_EQ(miner.rounds.back().weight, 0) << miner.attack->name;
  }
}

TEST_F(LabTest, WhoIsAbsentIsAbsentInItsEvaluations) {
  LabConfig config = config_with(5);
  config.attackers = {find_attack("absent")};
  const LabReport report = run(config);
  const LabMiner& absent = report.miners.back();
  for (std::size_t r = 1; r < absent.rounds.size(); ++r)
    EXPECT_EQ(absent.rounds[r].evaluation.basis,
              r % 2 == 0 ? protocol::Basis::kMeasured : protocol::Basis::kAbsent);
}

TEST_F(LabTest, AValidatorMeasuresAsManyAsItHasTimeFor) {
  LabConfig config = config_with(7);
  config.measured_share = 0.25;
  const auto measured = measured_by_round(run(config));
  for (std::size_t r = 1; r < measured.size(); ++r) EXPECT_EQ(measured[r], 1) << "round " << r;
}

TEST_F(LabTest, AValidatorWithTimeForLessThanOneMinerMeasuresOneEveryFewRounds) {
  LabConfig config = config_with(7);
  config.measured_share = 1.0 / 12;
  const auto measured = measured_by_round(run(config));
  for (std::size_t r = 1; r < measured.size(); ++r)
    EXPECT_EQ(measured[r], r % 3 == 0) << "round " << r;
}

TEST_F(LabTest, CountsTheWorkOfWhoWorksNowAndThen) {
  LabConfig config = config_with(8);
  config.attackers = {find_attack("scheduled")};
  const LabReport report = run(config);
  double trained = 0;
  for (const Observation& seen : report.miners.back().rounds) trained += seen.trained;
  EXPECT_LT(trained, 0.6 * 12);
  for (const Observation& seen : report.miners.front().rounds) EXPECT_EQ(seen.trained, 1);
}

TEST_F(LabTest, StopsWhenAsked) {
  const LabConfig config = config_with(6);
  const LabModel none{[](auto, auto) -> Result<std::unique_ptr<protocol::InnerLoop>> {
                        return Error{Errc::kNotFound, "no model"};
                      },
                      [](auto) -> Result<std::unique_ptr<protocol::LossProbe>> {
                        return Error{Errc::kNotFound, "no model"};
                      }};
  const std::atomic<bool> never{false};
  EXPECT_EQ(run_lab(config, none, never).error().message, "no model");
}

}  // namespace
}  // namespace muster::sim
