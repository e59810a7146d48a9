#include "trainer/hf/json_guard.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace muster::trainer {
namespace {

// Nesting outside of strings, counted before anything is built.
int deepest(ByteSpan text) {
  int depth = 0, depth_max = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t byte = text[i];
    if (in_string) {
      if (byte == '\\') ++i;
      if (byte == '"') in_string = false;
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '{' || byte == '[') {
      depth_max = std::max(depth_max, ++depth);
    } else if (byte == '}' || byte == ']') {
      --depth;
    }
  }
  return depth_max;
}

// Remembers the names of every object that is open, to find one that comes twice.
class NameWatch {
 public:
  bool operator()(int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end && !open_.empty()) open_.pop_back();
    if (event == Event::key && !open_.empty() &&
        !open_.back().insert(value.get<std::string>()).second)
      repeated_ = value.get<std::string>();
    return true;
  }
  [[nodiscard]] const std::optional<std::string>& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::optional<std::string> repeated_;
};

}  // namespace

Result<nlohmann::json> parse_json(ByteSpan text, int depth_max, std::string_view what) {
  const std::string name(what);
  if (deepest(text) > depth_max)
    return Error{Errc::kMalformed,
                 name + ": nested deeper than " + std::to_string(depth_max) + " levels"};
  NameWatch watch;
  nlohmann::json parsed =
      nlohmann::json::parse(text.begin(), text.end(), std::ref(watch), /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Error{Errc::kMalformed, name + ": not JSON"};
  if (watch.repeated())
    return Error{Errc::kMalformed, name + ": \"" + watch.repeated()->substr(0, 200) + "\" twice"};
  return parsed;
}

}  // namespace muster::trainer
