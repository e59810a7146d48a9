#include "trainer/run/run_logs.h"

#include <fcntl.h>

#include <charconv>
#include <limits>

namespace muster::trainer {
namespace {

constexpr std::uint64_t kAllRows = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kTableBytesMax = std::size_t{8} << 30;

template <class Number>
void append(std::string& line, Number number, char end) {
  char text[64];
  line.append(text, std::to_chars(text, text + sizeof(text), number).ptr);
  line.push_back(end);
}

std::uint64_t first_number(std::string_view line) {
  std::uint64_t number = 0;
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number;
}

}  // namespace

std::string rows_up_to(std::string_view table, std::uint64_t last_step) {
  std::string kept;
  for (std::size_t begin = 0, row = 0; begin < table.size(); ++row) {
    const std::size_t end = table.find('\n', begin);
    if (end == std::string_view::npos) break;
    const std::string_view line = table.substr(begin, end + 1 - begin);
    if (row > 0 && first_number(line) > last_step) break;
    kept += line;
    begin = end + 1;
  }
  return kept;
}

Result<RunLogs::Table> RunLogs::open_table(const std::filesystem::path& path,
                                           const std::string& header, std::uint64_t last_step) {
  std::uint64_t last_row = 0;
  if (!std::filesystem::exists(path)) {
    MUSTER_TRY_STATUS(replace_file(path, bytes_of(header)));
  } else {
    MUSTER_TRY(const Bytes content, read_file(path, kTableBytesMax));
    const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
    if (!text.starts_with(header))
      return Error{Errc::kMalformed, path.string() + ": does not begin with '" +
                                         header.substr(0, header.size() - 1) + "'; move it away"};
    const std::string kept = rows_up_to(text, last_step);
    if (kept.size() != text.size()) MUSTER_TRY_STATUS(replace_file(path, bytes_of(kept)));
    if (kept.size() > header.size())
      last_row = first_number(std::string_view(kept).substr(kept.rfind('\n', kept.size() - 2) + 1));
  }
  Table table{path, FileHandle(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)), last_row};
  if (!table.file) return system_error(path, "open");
  return table;
}

Result<RunLogs> RunLogs::open(const std::filesystem::path& folder, std::uint64_t step,
                              std::function<double()> wall_s) {
  MUSTER_TRY(Table losses,
             open_table(folder / "losses.csv",
                        "step,tokens,loss,learning_rate,gradient_norm,skipped\n", step));
  MUSTER_TRY(Table held_out, open_table(folder / "held_out.csv", "step,loss\n", step));
  MUSTER_TRY(
      Table speed,
      open_table(folder / "speed.csv",
                 "seconds,step,tokens_per_second,share_of_peak,checkpoint_wait_s\n", kAllRows));
  MUSTER_TRY(EventFile events, EventFile::create(folder / "events", wall_s()));
  if (step > 0)
    MUSTER_TRY_STATUS(events.write(restart_event(wall_s(), static_cast<std::int64_t>(step) + 1)));
  return RunLogs(std::move(losses), std::move(held_out), std::move(speed), std::move(events),
                 std::move(wall_s));
}

Status RunLogs::add_step(const StepReport& report) {
  std::string line;
  append(line, report.step, ',');
  append(line, report.tokens, ',');
  append(line, report.loss, ',');
  append(line, report.learning_rate, ',');
  append(line, report.gradient_norm, ',');
  append(line, report.verdict == Verdict::kApply ? 0 : 1, '\n');
  MUSTER_TRY_STATUS(losses_.add(line));
  const Scalar scalars[] = {{"train/loss", static_cast<float>(report.loss)},
                            {"train/learning_rate", static_cast<float>(report.learning_rate)},
                            {"train/gradient_norm", static_cast<float>(report.gradient_norm)}};
  return events_.write(scalars_event(wall_s_(), static_cast<std::int64_t>(report.step), scalars));
}

Status RunLogs::add_held_out(std::uint64_t step, double loss) {
  if (std::exchange(held_out_step_, step) == step) return {};
  std::string line;
  append(line, step, ',');
  append(line, loss, '\n');
  MUSTER_TRY_STATUS(held_out_.add(line));
  const Scalar scalars[] = {{"held_out/loss", static_cast<float>(loss)}};
  return events_.write(scalars_event(wall_s_(), static_cast<std::int64_t>(step), scalars));
}

Status RunLogs::add_speed(std::uint64_t step, const Speed& speed) {
  std::string line;
  append(line, speed.seconds, ',');
  append(line, step, ',');
  append(line, speed.tokens_per_second, ',');
  append(line, speed.share_of_peak, ',');
  append(line, speed.checkpoint_wait_s, '\n');
  MUSTER_TRY_STATUS(speed_.add(line));
  const Scalar scalars[] = {
      {"speed/tokens_per_second", static_cast<float>(speed.tokens_per_second)}};
  return events_.write(scalars_event(wall_s_(), static_cast<std::int64_t>(step), scalars));
}

}  // namespace muster::trainer
