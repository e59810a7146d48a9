#include "cli/train_progress.h"

#include "cli/units.h"

namespace muster::cli {
namespace {

constexpr double kTerminalEvery_s = 0.1, kPlainEvery_s = 10;

}  // namespace

std::string progress_line(const trainer::StepReport& report, std::uint64_t steps,
                          const trainer::Speed& speed, double seconds_left) {
  char text[160], share[32] = "";
  const std::string left = seconds_left > 0 ? "  " + human_seconds(seconds_left) + " left" : "";
  if (speed.share_of_peak > 0)
    std::snprintf(share, sizeof(share), ", %.0f %% of peak", 100 * speed.share_of_peak);
  std::snprintf(text, sizeof(text), "step %llu/%llu  loss %.4f  %.1f k tokens/s%s%s",
                static_cast<unsigned long long>(report.step),
                static_cast<unsigned long long>(steps), report.loss, speed.tokens_per_second / 1000,
                share, left.c_str());
  return text;
}

TrainProgress::~TrainProgress() {
  if (over_) std::fprintf(out_, "\n");
}

void TrainProgress::on_step(const trainer::StepReport& report, const trainer::Speed& speed,
                            double seconds_left) {
  const bool last = report.step == steps_;
  if (!last && speed.seconds - shown_at_ < (terminal_ ? kTerminalEvery_s : kPlainEvery_s)) return;
  shown_at_ = speed.seconds;
  const std::string text = progress_line(report, steps_, speed, seconds_left);
  if (!terminal_ || last) return line(text);
  std::fprintf(out_, "\r%-100s", text.c_str());
  std::fflush(out_);
  over_ = true;
}

void TrainProgress::on_held_out(std::uint64_t step, double loss) {
  char text[80];
  std::snprintf(text, sizeof(text), "step %llu: held-out loss %.4f",
                static_cast<unsigned long long>(step), loss);
  line(text);
}

void TrainProgress::note(const std::string& text) { line(text); }

void TrainProgress::line(const std::string& text) {
  std::fprintf(out_, over_ ? "\r%-100s\n" : "%s\n", text.c_str());
  std::fflush(out_);
  over_ = false;
}

}  // namespace muster::cli
