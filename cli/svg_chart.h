// Bar charts as SVG, for reports that open in any browser and load nothing. Thread safety: pure functions.
#pragma once

#include <string>
#include <vector>

namespace muster::cli {

struct Bar {
  std::string label;
  double value = 0;  // at least 0
  std::string text;  // the value, written out
};

// One row per bar, longest value the full width.
[[nodiscard]] std::string bar_chart(const std::string& title, const std::vector<Bar>& bars);

// A page around `body`; `title` is escaped, `body` is HTML.
[[nodiscard]] std::string html_page(const std::string& title, const std::string& body);

[[nodiscard]] std::string escape_html(const std::string& text);

}  // namespace muster::cli
