// FileWalk: the files that a list of sources names, one after the other, in an order that depends
// on names only.
//
// A folder stands for the files below it, entries by name; what begins with a dot and symbolic
// links inside of folders are left out. One folder's entries per level are in memory. Thread
// safety: one thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace muster::trainer {

class FileWalk {
 public:
  // `extensions` (with the dot) say which files of folders are taken; empty: all. A source "-" is
  // given as it is.
  FileWalk(std::vector<std::filesystem::path> sources, std::vector<std::string> extensions);
  // Nothing: that was the last. Errors: kNotFound, kIo.
  [[nodiscard]] Result<std::optional<std::filesystem::path>> next();

 private:
  [[nodiscard]] Status descend(const std::filesystem::path& folder);
  [[nodiscard]] bool wanted(const std::filesystem::path& file) const;

  std::vector<std::string> extensions_;
  std::vector<std::filesystem::path> waiting_;  // the next one last
  std::size_t named_;                           // so many of them, the first, are sources
};

}  // namespace muster::trainer
