#include "trainer/run/train_run.h"

#include "trainer/run/checkpoint_writer.h"

namespace muster::trainer {
namespace {

constexpr double kSmoothing = 0.1;  // weight of the newest step in the mean time per step
constexpr double kSpeedRowEvery_s = 1.0;

class Run {
 public:
  Run(Training& training, const DataSet* held_out, const RunSettings& settings,
      RunObserver& observer, Failpoints& failpoints, RunLogs logs)
      : training_(training),
        held_out_(held_out),
        settings_(settings),
        observer_(observer),
        failpoints_(failpoints),
        logs_(std::move(logs)),
        writer_(checkpoints_of(settings.folder), settings.keep),
        saved_step_(training.steps_done()),
        started_(settings.seconds()) {}

  Result<RunOutcome> run(const std::atomic<bool>& stop) {
    const std::uint64_t steps = training_.config().steps();
    // Where the run before was stopped just before it could measure.
    if (training_.steps_done() < steps) MUSTER_TRY_STATUS(measure_if_due(stop));
    while (training_.steps_done() < steps && !stop) {
      MUSTER_TRY_STATUS(step());
      const std::uint64_t done = training_.steps_done();
      failpoints_.pass("train.step");
      if (done == steps) break;
      MUSTER_TRY_STATUS(measure_if_due(stop));
      if (settings_.checkpoint_every > 0 && done % settings_.checkpoint_every == 0)
        MUSTER_TRY_STATUS(checkpoint());
    }
    outcome_.finished = training_.steps_done() >= steps;
    MUSTER_TRY_STATUS(last_checkpoint());
    if (outcome_.finished) MUSTER_TRY_STATUS(measure(stop));
    return conclude();
  }

 private:
  Status step() {
    const double begun = settings_.seconds();
    MUSTER_TRY(const StepReport report, training_.step());
    const double took = settings_.seconds() - begun;
    seconds_per_step_ =
        seconds_per_step_ == 0 ? took : (1 - kSmoothing) * seconds_per_step_ + kSmoothing * took;
    outcome_.loss = report.loss;
    update_speed();
    MUSTER_TRY_STATUS(logs_.add_step(report));
    if (report.verdict != Verdict::kApply)
      observer_.note("step " + std::to_string(report.step) + " was skipped: loss " +
                     std::to_string(report.loss) + ", gradient norm " +
                     std::to_string(report.gradient_norm) +
                     (report.verdict == Verdict::kSpike ? ", far over those before" : ""));
    const auto left = static_cast<double>(training_.config().steps() - report.step);
    observer_.on_step(report, outcome_.speed, left * seconds_per_step_);
    if (outcome_.speed.seconds - speed_row_at_ < kSpeedRowEvery_s) return {};
    speed_row_at_ = outcome_.speed.seconds;
    return logs_.add_speed(report.step, outcome_.speed);
  }

  void update_speed() {
    Speed& speed = outcome_.speed;
    speed.seconds = settings_.seconds() - started_;
    if (seconds_per_step_ <= 0) return;
    speed.tokens_per_second =
        static_cast<double>(training_.config().tokens_per_step()) / seconds_per_step_;
    if (settings_.peak_flops > 0)
      speed.share_of_peak =
          speed.tokens_per_second * training_.learner().flops_per_token() / settings_.peak_flops;
  }

  // Being stopped meanwhile is no error: who goes on measures then.
  Status measure_if_due(const std::atomic<bool>& stop) {
    const std::uint64_t done = training_.steps_done();
    if (settings_.evaluate_every == 0 || done == 0 || done % settings_.evaluate_every != 0 ||
        logs_.has_held_out(done))
      return {};
    Status measured = measure(stop);
    if (!measured && measured.error().code == Errc::kCancelled) return {};
    return measured;
  }

  Status measure(const std::atomic<bool>& stop) {
    if (held_out_ == nullptr) return {};
    const auto losses = [this](std::span<const std::int32_t> tokens, std::span<float> to) {
      return training_.learner().losses(tokens, to);
    };
    MUSTER_TRY(const Evaluation evaluation,
               evaluate(losses, *held_out_, settings_.held_out_sequences, stop));
    outcome_.held_out_loss = evaluation.loss;
    observer_.on_held_out(training_.steps_done(), evaluation.loss);
    return logs_.add_held_out(training_.steps_done(), evaluation.loss);
  }

  [[nodiscard]] CheckpointHead head() const {
    CheckpointHead head = training_.head();
    head.binding = settings_.binding;
    head.noted = settings_.noted;
    return head;
  }

  Status checkpoint() {
    const double begun = settings_.seconds();
    const Status before = writer_.take_error();
    if (!before) observer_.note("a checkpoint could not be written: " + before.error().message);
    if (!before) saved_step_ = 0;
    MUSTER_TRY(const auto arrays, training_.arrays());
    if (writer_.submit(head(), arrays)) {
      ++outcome_.checkpoints;
      saved_step_ = training_.steps_done();
      failpoints_.pass("train.checkpoint");
    } else {
      ++outcome_.checkpoints_left_out;
      observer_.note(
          "checkpoint of step " + std::to_string(training_.steps_done()) +
          " left out: the one before is still being written; raise train.checkpoint_every");
    }
    outcome_.speed.checkpoint_wait_s += settings_.seconds() - begun;
    return {};
  }

  // Nothing is left to overlap with, so this one is waited for.
  Status last_checkpoint() {
    if (Status before = writer_.finish(); !before) {
      observer_.note("a checkpoint could not be written: " + before.error().message);
      saved_step_ = 0;
    }
    if (saved_step_ == training_.steps_done() && saved_step_ > 0) return {};
    MUSTER_TRY(const auto arrays, training_.arrays());
    MUSTER_CHECK(writer_.submit(head(), arrays), "an idle writer takes a checkpoint");
    ++outcome_.checkpoints;
    failpoints_.pass("train.checkpoint");
    return writer_.finish();
  }

  Result<RunOutcome> conclude() {
    outcome_.steps = training_.steps_done();
    outcome_.tokens = outcome_.steps * training_.config().tokens_per_step();
    outcome_.skipped = training_.skipped();
    if (seconds_per_step_ > 0) MUSTER_TRY_STATUS(logs_.add_speed(outcome_.steps, outcome_.speed));
    return outcome_;
  }

  Training& training_;
  const DataSet* held_out_;
  const RunSettings& settings_;
  RunObserver& observer_;
  Failpoints& failpoints_;
  RunLogs logs_;
  CheckpointWriter writer_;
  RunOutcome outcome_;
  std::uint64_t saved_step_;  // of the newest checkpoint that is whole or being written; 0: none
  double started_;
  double seconds_per_step_ = 0;
  double speed_row_at_ = 0;
};

}  // namespace

Result<RunOutcome> run_training(Training& training, const DataSet* held_out,
                                const RunSettings& settings, RunObserver& observer,
                                Failpoints& failpoints, const std::atomic<bool>& stop) {
  MUSTER_TRY(RunLogs logs, RunLogs::open(settings.folder, training.steps_done(), settings.wall_s));
  if (logs.opened_at() < training.steps_done())
    observer.note("losses.csv ends at step " + std::to_string(logs.opened_at()) +
                  ", the checkpoint is of step " + std::to_string(training.steps_done()) +
                  ": the rows between are lost");
  return Run(training, held_out, settings, observer, failpoints, std::move(logs)).run(stop);
}

}  // namespace muster::trainer
