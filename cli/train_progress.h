// What a person sees of a training: one line that is written over on a terminal, else a line now
// and then.
//
// Thread safety: none.
#pragma once

#include <cstdio>
#include <string>

#include "trainer/run/train_run.h"

namespace muster::cli {

// "step 120/600  loss 2.3451  45.1 k tokens/s, 78 % of peak  1.2 min left"
[[nodiscard]] std::string progress_line(const trainer::StepReport& report, std::uint64_t steps,
                                        const trainer::Speed& speed, double seconds_left);

class TrainProgress final : public trainer::RunObserver {
 public:
  // `out`: where to; `terminal`: it is one.
  TrainProgress(std::FILE* out, bool terminal, std::uint64_t steps)
      : out_(out), terminal_(terminal), steps_(steps) {}
  ~TrainProgress() override;
  TrainProgress(const TrainProgress&) = delete;
  void on_step(const trainer::StepReport& report, const trainer::Speed& speed,
               double seconds_left) override;
  void on_held_out(std::uint64_t step, double loss) override;
  void note(const std::string& text) override;

 private:
  void line(const std::string& text);  // one that stays
  std::FILE* out_;
  bool terminal_;
  std::uint64_t steps_;
  double shown_at_ = -1e9;
  bool over_ = false;  // the cursor stands behind a line to write over
};

}  // namespace muster::cli
