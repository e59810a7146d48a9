// Scores computed again: the same to the last digit in a simulated world, and named where they were
// made up.
#include "verify/rescore.h"

#include "sim/analytic_model.h"
#include "tests/verify/audit_fixture.h"

namespace muster::verify {
namespace {

using namespace muster::testing;

// The analytic probe, under another name where a test wants one.
class NamedProbe final : public protocol::LossProbe {
 public:
  NamedProbe(sim::AnalyticLossProbe& probe, std::string name)
      : probe_(probe), name_(std::move(name)) {}
  Status compute_gradient(std::span<const std::uint64_t> s) override {
    return probe_.compute_gradient(s);
  }
  Result<double> gradient_cosine(const compression::SparseUpdate& u) override {
    return probe_.gradient_cosine(u);
  }
  Result<std::vector<float>> losses(protocol::ProbePoint point,
                                    const compression::SparseUpdate* update, float scale,
                                    std::span<const std::uint64_t> sequences) override {
    measured_ += sequences.size();
    return probe_.losses(point, update, scale, sequences);
  }
  Result<std::vector<double>> products(
      std::span<const protocol::Window> windows,
      std::span<const compression::SparseUpdate* const> updates) override {
    measured_ += windows.size();
    return probe_.products(windows, updates);
  }
  Result<double> held_out_loss() override { return probe_.held_out_loss(); }
  Status apply(const compression::SparseUpdate& aggregate) override {
    return probe_.apply(aggregate);
  }
  std::span<const float> parameters() const override { return probe_.parameters(); }
  Status set_parameters(std::span<const float> parameters) override {
    return probe_.set_parameters(parameters);
  }
  std::string platform_class() const override { return name_; }
  [[nodiscard]] std::uint64_t measured() const { return measured_; }

 private:
  sim::AnalyticLossProbe& probe_;
  std::string name_;
  std::uint64_t measured_ = 0;
};

struct Rescored {
  AuditReport report;
  std::uint64_t exact = 0, within = 0, measured = 0;
};

Rescored rescore(const sim::RecordedRun& run, const RescoreOptions& options,
                 const std::string& platform = "analytic") {
  const sim::AnalyticModel model(run.report.seed, run.initial_theta.size());
  sim::AnalyticLossProbe analytic(run.params, model, run.initial_theta);
  NamedProbe probe(analytic, platform);
  Rescorer rescorer(probe, options);
  Audit audit(run.params, run.initial_theta, [&](const Hash& id) -> Result<Bytes> {
    const auto blob = run.blobs.find(id);
    if (blob == run.blobs.end()) return Error{Errc::kNotFound, "blob"};
    return blob->second;
  });
  audit.on_round(
      [&](const AuditedRound& round, AuditReport& report) { return rescorer.take(round, report); });
  for (const Bytes& message : run.messages)
    if (!audit.take(message).value()) break;
  return {audit.finish(), rescorer.exact(), rescorer.within(), probe.measured()};
}

TEST(Rescore, GivesEveryScoreOfAnHonestRunAgainToTheLastDigit) {
  const Rescored rescored = rescore(honest_run(), {});
  EXPECT_TRUE(rescored.report.ok()) << text_of(rescored.report);
  EXPECT_GT(rescored.exact, 50u);
  EXPECT_EQ(rescored.report.count(Check::kRescored).held, rescored.exact);
}

TEST(Rescore, SpreadsItsSamplesAndRepeatsThemForASeed) {
  const RescoreOptions options{.samples = 7, .rounds_expected = 8, .seed = 3};
  const Rescored a = rescore(honest_run(), options), b = rescore(honest_run(), options);
  EXPECT_GE(a.exact, 5u);
  EXPECT_LE(a.exact, 7u);
  EXPECT_EQ(a.measured, b.measured);
}

sim::RecordedRun run_with_made_up_scores(std::int16_t shift) {
  return run_with_screen(5, [shift](protocol::Screen& screen) {
    for (auto& evaluation : screen.opened.back().evaluations)
      if (evaluation.basis == protocol::Basis::kMeasured)
        evaluation.scores.all_e3 = static_cast<std::int16_t>(evaluation.scores.all_e3 + shift);
  });
}

TEST(Rescore, NamesWhoMadeAScoreUp) {
  const Rescored rescored = rescore(run_with_made_up_scores(1), {});
  const Finding finding = finding_of(rescored.report, Check::kRescored);
  EXPECT_EQ(finding.round, Round{5});
  ASSERT_TRUE(finding.signer.has_value());
  EXPECT_EQ(finding.signer->role, Role::kValidator);
  EXPECT_NE(finding.what.find("in round 4"), std::string::npos);
  EXPECT_NE(finding.expected, finding.found);
}

TEST(Rescore, AllowsForAnotherPlatformClassButNotForMore) {
  EXPECT_EQ(rescore(run_with_made_up_scores(20), {}, "other").report.count(Check::kRescored).failed,
            0u);
  EXPECT_GT(
      rescore(run_with_made_up_scores(200), {}, "other").report.count(Check::kRescored).failed, 0u);
  EXPECT_GT(rescore(honest_run(), {}, "other").within, 50u);
}

// Adds to a Screen a review of what another validator evaluated in an earlier round.
sim::RecordedRun run_with_review(bool contradicts) {
  const auto& honest = honest_run();
  protocol::Review review{{}, Round{4}, {}, contradicts};
  for (const Bytes& message : honest.messages) {
    const auto envelope = wire::reread_envelope(message).value();
    if (!is_a(envelope, protocol::MessageType::kScreen) || envelope.round != Round{5}) continue;
    const auto screen = protocol::read_body<protocol::Screen>(envelope).value();
    for (const auto& evaluation : screen.opened.back().evaluations)
      if (evaluation.basis == protocol::Basis::kMeasured)
        review = {envelope.sender, evaluation.round, evaluation.uid, contradicts};
  }
  return run_with_screen(7, [review](protocol::Screen& screen) { screen.reviews = {review}; });
}

TEST(Rescore, NamesWhoContradictsAnEvaluationThatIsRight) {
  const Rescored rescored = rescore(run_with_review(true), {});
  const Finding finding = finding_of(rescored.report, Check::kReviews);
  EXPECT_EQ(finding.round, Round{7});
  EXPECT_NE(finding.what.find("contradicts"), std::string::npos);
  EXPECT_EQ(rescored.report.count(Check::kReviews).failed, 1u);
}

TEST(Rescore, BearsOutTheReviewsOfAnHonestRun) {
  EXPECT_GT(rescore(run_with_review(false), {}).report.count(Check::kReviews).held, 0u);
  EXPECT_EQ(rescore(honest_run(), {}).report.count(Check::kReviews).failed, 0u);
}

TEST(Rescore, SkipsWhatNeedsPayloadsThatAreNotThere) {
  sim::RecordedRun run = honest_run();
  for (const Bytes& message : run.messages)
    if (type_of(message) == protocol::MessageType::kCommit)
      run.blobs.erase(body_of<protocol::Commit>(message).payload_id);
  const Rescored rescored = rescore(run, {});
  EXPECT_EQ(rescored.report.count(Check::kRescored).failed, 0u);
  EXPECT_GT(rescored.report.count(Check::kRescored).skipped, 50u);
}

}  // namespace
}  // namespace muster::verify
