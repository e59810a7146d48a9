// RunLogs: what a training writes down about itself, in its folder.
//
// losses.csv     step,tokens,loss,learning_rate,gradient_norm,skipped: equal bytes for equal runs,
// cut off or not held_out.csv   step,loss: equal bytes, too speed.csv
// seconds,step,tokens_per_second,share_of_peak,checkpoint_wait_s: this machine's events/        the
// same for TensorBoard
//
// Numbers are the shortest text that reads back as the same double. A run that goes on from step s
// first drops the rows after s. Thread safety: none; one owner.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "trainer/run/event_file.h"
#include "trainer/run/training.h"

namespace muster::trainer {

struct Speed {
  double seconds = 0;  // since the command started training
  double tokens_per_second = 0;
  double share_of_peak = 0;      // of the machine's matmul peak; 0: unknown
  double checkpoint_wait_s = 0;  // of `seconds`
};

class RunLogs {
 public:
  // Opens or goes on after `step` steps. `wall_s` is the time, seconds since 1970.
  // Errors: kIo, kNoSpace, kMalformed (a file that is no log of ours).
  [[nodiscard]] static Result<RunLogs> open(const std::filesystem::path& folder, std::uint64_t step,
                                            std::function<double()> wall_s);
  [[nodiscard]] Status add_step(const StepReport& report);
  // Nothing new where the last row is of this step already.
  [[nodiscard]] Status add_held_out(std::uint64_t step, double loss);
  // Of the last row of losses.csv when it was opened: under the step that the run goes on from
  // where a machine lost power before the rows were on disk.
  [[nodiscard]] std::uint64_t opened_at() const { return losses_.last_row; }
  [[nodiscard]] bool has_held_out(std::uint64_t step) const { return held_out_step_ == step; }
  [[nodiscard]] Status add_speed(std::uint64_t step, const Speed& speed);

 private:
  struct Table {
    std::filesystem::path path;
    FileHandle file;
    std::uint64_t last_row = 0;  // its first number
    [[nodiscard]] Status add(const std::string& line) const {
      return write_fully(file, path, bytes_of(line));
    }
  };
  RunLogs(Table losses, Table held_out, Table speed, EventFile events,
          std::function<double()> wall_s)
      : losses_(std::move(losses)),
        held_out_(std::move(held_out)),
        speed_(std::move(speed)),
        events_(std::move(events)),
        wall_s_(std::move(wall_s)),
        held_out_step_(held_out_.last_row) {}
  static Result<Table> open_table(const std::filesystem::path& path, const std::string& header,
                                  std::uint64_t last_step);

  Table losses_, held_out_, speed_;
  EventFile events_;
  std::function<double()> wall_s_;
  std::uint64_t held_out_step_ = 0;  // of the last row; 0: none
};

// The rows of a table whose first number is at most `last_step`, header included; without half a
// line at the end.
[[nodiscard]] std::string rows_up_to(std::string_view table, std::uint64_t last_step);

}  // namespace muster::trainer
