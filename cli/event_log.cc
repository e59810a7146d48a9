#include "cli/event_log.h"

#include <memory>

#include "cli/json_text.h"

namespace muster::cli {

EventSink write_events_to(const std::filesystem::path& path) {
  // Shared because the sink is copied; all copies write to the one file.
  auto file = std::make_shared<std::ofstream>(path, std::ios::app);
  return [file](const Event& event) {
    nlohmann::ordered_json line{{"event", event.name}};
    for (const auto& [name, value] : event.fields)
      std::visit([&](const auto& content) { line[name] = content; }, value);
    file->clear();  // a disk that was full does not stay so
    *file << json_text(line) << std::endl;
  };
}

std::vector<nlohmann::json> EventFollower::read_new() {
  std::vector<nlohmann::json> events;
  std::ifstream file(path_);
  if (!file) return events;
  file.seekg(offset_);
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) break;  // a line that is still being written
    offset_ = file.tellg();
    auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object()) events.push_back(std::move(event));
  }
  return events;
}

}  // namespace muster::cli
