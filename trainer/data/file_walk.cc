#include "trainer/data/file_walk.h"

#include <algorithm>

namespace muster::trainer {
namespace fs = std::filesystem;

FileWalk::FileWalk(std::vector<fs::path> sources, std::vector<std::string> extensions)
    : extensions_(std::move(extensions)),
      waiting_(sources.rbegin(), sources.rend()),
      named_(waiting_.size()) {}

Result<std::optional<fs::path>> FileWalk::next() {
  while (!waiting_.empty()) {
    const bool named = waiting_.size() <= named_;
    const fs::path path = std::move(waiting_.back());
    waiting_.pop_back();
    named_ = std::min(named_, waiting_.size());
    if (path == "-") return std::optional(path);
    std::error_code error;
    const auto status = named ? fs::status(path, error) : fs::symlink_status(path, error);
    if (!fs::exists(status))
      return Error{Errc::kNotFound, path.string() + ": " + (error ? error.message() : "not there")};
    if (fs::is_directory(status)) {
      MUSTER_TRY_STATUS(descend(path));
    } else if (named || (fs::is_regular_file(status) && wanted(path))) {
      return std::optional(path);
    }
  }
  return std::optional<fs::path>();
}

Status FileWalk::descend(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (!it->path().filename().string().starts_with('.')) entries.push_back(it->path());
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  std::sort(entries.begin(), entries.end(), std::greater<>());
  waiting_.insert(waiting_.end(), entries.begin(), entries.end());
  return {};
}

bool FileWalk::wanted(const fs::path& file) const {
  return extensions_.empty() || std::find(extensions_.begin(), extensions_.end(),
                                          file.extension().string()) != extensions_.end();
}

}  // namespace muster::trainer
