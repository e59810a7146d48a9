// Event: something a node did, with named values, for reports and monitoring. Never protocol input.
//
// Thread safety: values; an EventSink is called from the node's main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace muster {

struct Event {
  using Value = std::variant<std::int64_t, double, std::string>;
  std::string name;
  std::vector<std::pair<std::string, Value>> fields;
};
using EventSink = std::function<void(const Event&)>;

}  // namespace muster
