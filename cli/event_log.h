// Event logs: a node's events as JSON lines, written by the node and followed by who reports.
//
// Thread safety: none.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/event.h"

namespace muster::cli {

// Appends to `path`, a line per event, flushed at once.
[[nodiscard]] EventSink write_events_to(const std::filesystem::path& path);

// Reads what has been added to a file since the last call; the file need not exist yet.
class EventFollower {
 public:
  explicit EventFollower(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] std::vector<nlohmann::json> read_new();

 private:
  std::filesystem::path path_;
  std::streamoff offset_ = 0;
};

}  // namespace muster::cli
