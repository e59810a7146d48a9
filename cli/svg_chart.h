// Bar and line charts as SVG, for reports that open in any browser and load nothing. Thread safety:
// pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace muster::cli {

struct Bar {
  std::string label;
  double value = 0;  // at least 0
  std::string text;  // the value, written out
};

// One row per bar, longest value the full width.
[[nodiscard]] std::string bar_chart(const std::string& title, const std::vector<Bar>& bars);

struct Line {
  std::string label;
  std::vector<std::pair<double, double>> points;  // x ascending
};

// Where the axes begin.
struct Origin {
  double x = 0, y = 0;
};

// All lines over the same axes, each named beside the plot, and numbered where they end at
// different x. `x_title` says what x is.
[[nodiscard]] std::string line_chart(const std::string& title, const std::string& x_title,
                                     const std::vector<Line>& lines, Origin origin = {});

// A page around `body`; `title` is escaped, `body` is HTML.
[[nodiscard]] std::string html_page(const std::string& title, const std::string& body);

[[nodiscard]] std::string escape_html(const std::string& text);

}  // namespace muster::cli
