#include "trainer/run/checkpoint_folder.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "step-", kSuffix = ".muster";

std::optional<std::uint64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits =
      std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return step;
}

}  // namespace

fs::path CheckpointFolder::path_of(std::uint64_t step) const {
  char name[48];
  std::snprintf(name, sizeof(name), "step-%012llu.muster", static_cast<unsigned long long>(step));
  return folder_ / name;
}

std::vector<std::uint64_t> CheckpointFolder::steps() const {
  std::vector<std::uint64_t> found;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error))
    if (const auto step = step_of(it->path().filename().string())) found.push_back(*step);
  std::ranges::sort(found);
  return found;
}

Status CheckpointFolder::write(const CheckpointHead& head, std::span<const NamedState> arrays,
                               std::uint32_t keep) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return Error{Errc::kIo, folder_.string() + ": " + error.message()};
  MUSTER_TRY_STATUS(write_checkpoint(path_of(head.step), head, arrays));
  const auto all = steps();
  for (std::size_t i = 0; i + keep < all.size(); ++i) fs::remove(path_of(all[i]), error);
  return {};
}

Result<OpenedCheckpoint> CheckpointFolder::open_newest(std::span<const Setting> binding,
                                                       std::span<const Setting> noted) const {
  auto all = steps();
  std::vector<std::string> notes;
  for (auto step = all.rbegin(); step != all.rend(); ++step) {
    auto file = CheckpointFile::open(path_of(*step));
    if (!file) {
      notes.push_back(file.error().message);
      continue;
    }
    if (const auto other = first_difference(file->head().binding, binding))
      return Error{Errc::kInvalidArgument, path_of(*step).string() + ": made with " + other->name +
                                               " = " + other->then + ", now it is " + other->now +
                                               "; set it back, or train into another folder"};
    for (const Setting& now : noted) {
      const auto then = std::ranges::find(file->head().noted, now.name, &Setting::name);
      if (then != file->head().noted.end() && then->value != now.value)
        notes.push_back(now.name + " was " + then->value + " and is " + now.value +
                        " from here on");
    }
    return OpenedCheckpoint{std::move(*file), std::move(notes)};
  }
  std::string message = folder_.string() + ": no checkpoint to go on from";
  for (const std::string& note : notes) message += "; " + note;
  return Error{Errc::kNotFound, message};
}

}  // namespace muster::trainer
