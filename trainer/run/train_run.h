// run_training: a training from where it is to its end, with logs, held-out losses and checkpoints.
//
// Thread safety: one thread; checkpoints are written on another.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "base/failpoint.h"
#include "trainer/run/checkpoint_folder.h"
#include "trainer/run/evaluation.h"
#include "trainer/run/run_logs.h"
#include "trainer/run/training.h"

namespace muster::trainer {

struct RunSettings {
  std::filesystem::path folder;          // holds logs and checkpoints/
  std::vector<Setting> binding, noted;   // go into checkpoints
  std::uint64_t evaluate_every = 0;      // steps; 0: only at the end
  std::uint64_t checkpoint_every = 100;  // steps; 0: only at the end
  std::uint32_t keep = 3;                // checkpoints
  std::uint64_t held_out_sequences = 512;
  double peak_flops = 0;            // per second, of the machine's matrix products; 0: unknown
  std::function<double()> seconds;  // since any moment
  std::function<double()> wall_s;   // since 1970
};

[[nodiscard]] inline CheckpointFolder checkpoints_of(const std::filesystem::path& folder) {
  return CheckpointFolder(folder / "checkpoints");
}

// Who watches a run.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_step(const StepReport& report, const Speed& speed, double seconds_left) = 0;
  virtual void on_held_out(std::uint64_t step, double loss) = 0;
  virtual void note(const std::string& text) = 0;
};

struct RunOutcome {
  bool finished = false;  // else stopped, with a checkpoint of where it is
  std::uint64_t steps = 0, tokens = 0, skipped = 0;
  double loss = 0;  // of the last step taken here
  std::optional<double> held_out_loss;
  Speed speed;
  std::uint64_t checkpoints = 0, checkpoints_left_out = 0;
};

// `training` is at its start or was restored from a checkpoint in the folder. `held_out` may be
// null. When `stop` is set the step is finished and a checkpoint written. A checkpoint that cannot
// be written is told of and the run goes on, but for the last one. `failpoints` are passed as
// "train.step" after each step and as "train.checkpoint" when the writing of one begins. Errors:
// those of Training::step, the logs and the last checkpoint.
[[nodiscard]] Result<RunOutcome> run_training(Training& training, const DataSet* held_out,
                                              const RunSettings& settings, RunObserver& observer,
                                              Failpoints& failpoints,
                                              const std::atomic<bool>& stop);

}  // namespace muster::trainer
