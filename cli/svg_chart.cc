#include "cli/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace muster::cli {
namespace {

constexpr int kRow = 18, kLabels = 300, kBars = 420, kWidth = 860;

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", x);
  return text;
}

std::string svg_text(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         escape_html(text) + "</text>\n";
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string bar_chart(const std::string& title, const std::vector<Bar>& bars) {
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, bar.value);
  const auto height = static_cast<int>(bars.size()) * kRow + 8;
  std::string svg = "<h2>" + escape_html(title) + "</h2>\n<svg role=\"img\" width=\"" +
                    std::to_string(kWidth) + "\" height=\"" + std::to_string(height) + "\">\n";
  double y = 4;
  for (const Bar& bar : bars) {
    const double width = longest > 0 ? bar.value / longest * kBars : 0;
    svg += svg_text(kLabels - 8, y + 13, "end", bar.label);
    svg += "<rect x=\"" + std::to_string(kLabels) + "\" y=\"" + number(y + 2) + "\" width=\"" +
           number(width) + "\" height=\"" + std::to_string(kRow - 4) + "\"/>\n";
    svg += svg_text(kLabels + width + 6, y + 13, "start", bar.text);
    y += kRow;
  }
  return svg + "</svg>\n";
}

namespace {

constexpr int kPlotLeft = 70, kPlotTop = 12, kPlotWidth = 600, kPlotHeight = 220;
// Told apart by colour-blind readers too (Okabe and Ito, 2008); names stand at the lines' ends
// besides.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#8a6d00", "#56b4e9", "#1b1f24"};

// 1, 2 or 5 times a power of ten, so that at most five steps reach `largest`.
double tick_step(double largest) {
  const double power = std::pow(10, std::floor(std::log10(largest / 5)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power * 5 >= largest) return factor * power;
  return 10 * power;
}

std::string tick_text(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", x);
  return text;
}

// Labels at the lines' ends, moved apart where they would cover each other.
std::vector<double> label_heights(const std::vector<double>& wanted) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  std::vector<double> heights(wanted.size());
  double next = kPlotTop;
  for (std::size_t i : order) next = (heights[i] = std::max(wanted[i], next)) + 14;
  double last = kPlotTop + kPlotHeight;
  for (auto i = order.rbegin(); i != order.rend(); ++i)
    last = (heights[*i] = std::min(heights[*i], last)) - 14;
  return heights;
}

}  // namespace

std::string line_chart(const std::string& title, const std::string& x_title,
                       const std::vector<Line>& lines, Origin origin) {
  double x_end = 0, y_end = 0;
  for (const Line& line : lines)
    for (const auto& [x, y] : line.points) {
      x_end = std::max(x_end, x);
      y_end = std::max(y_end, y);
    }
  if (!(x_end > origin.x)) x_end = origin.x + 1;
  if (!(y_end > origin.y)) y_end = origin.y + 1;
  const auto at_x = [&](double x) {
    return kPlotLeft + (x - origin.x) / (x_end - origin.x) * kPlotWidth;
  };
  const auto at_y = [&](double y) {
    return kPlotTop + kPlotHeight - std::max(0.0, y - origin.y) / (y_end - origin.y) * kPlotHeight;
  };
  const bool numbered = std::ranges::any_of(lines, [&](const Line& line) {
    return !line.points.empty() && line.points.back().first < x_end;
  });
  std::string svg = "<h2>" + escape_html(title) + "</h2>\n<svg role=\"img\" width=\"" +
                    std::to_string(kWidth) + "\" height=\"" +
                    std::to_string(kPlotTop + kPlotHeight + 40) + "\">\n";
  const double x_step = tick_step(x_end - origin.x), y_step = tick_step(y_end - origin.y);
  for (double y = std::ceil(origin.y / y_step - 1e-9) * y_step; y <= y_end * 1.0001; y += y_step) {
    svg += "<path class=\"grid\" d=\"M" + number(kPlotLeft) + " " + number(at_y(y)) + "h" +
           number(kPlotWidth) + "\"/>\n";
    svg += svg_text(kPlotLeft - 8, at_y(y) + 4, "end", tick_text(y));
  }
  for (double x = std::ceil(origin.x / x_step - 1e-9) * x_step; x <= x_end * 1.0001; x += x_step)
    svg += svg_text(at_x(x), kPlotTop + kPlotHeight + 16, "middle", tick_text(x));
  svg += svg_text(kPlotLeft + kPlotWidth / 2.0, kPlotTop + kPlotHeight + 34, "middle", x_title);
  std::vector<double> ends;
  for (const Line& line : lines)
    ends.push_back(line.points.empty() ? at_y(origin.y) : at_y(line.points.back().second));
  const std::vector<double> heights = label_heights(ends);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].points.empty()) continue;
    const std::string colour = kColours[i % std::size(kColours)];
    std::string path;
    for (const auto& [x, y] : lines[i].points)
      path += (path.empty() ? "M" : "L") + number(at_x(x)) + " " + number(at_y(y));
    svg +=
        "<path fill=\"none\" stroke-width=\"2\" stroke=\"" + colour + "\" d=\"" + path + "\"/>\n";
    svg += "<circle r=\"3\" fill=\"" + colour + "\" cx=\"" +
           number(at_x(lines[i].points.back().first)) + "\" cy=\"" + number(ends[i]) + "\"/>\n";
    const std::string mark = numbered ? std::to_string(i + 1) + " " : "";
    if (numbered)
      svg += svg_text(at_x(lines[i].points.back().first) + 5, ends[i] + 4, "start", mark);
    svg += svg_text(kPlotLeft + kPlotWidth + (numbered ? 28 : 10), heights[i] + 4, "start",
                    mark + lines[i].label);
  }
  return svg + "</svg>\n";
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
         escape_html(title) +
         "</title>\n<style>body{font:14px/1.45 system-ui,sans-serif;margin:2rem "
         "auto;max-width:880px;"
         "color:#1b1f24}h1{font-size:22px}h2{font-size:16px;margin-top:2rem}svg "
         "text{font-size:12px;"
         "fill:#1b1f24}svg rect{fill:#3b6ea8}table{border-collapse:collapse}td,th{padding:2px 12px "
         "2px 0;"
         "text-align:right}svg "
         ".grid{stroke:#d0d7de;fill:none}td:first-child,th:first-child{text-align:left}</style></"
         "head>\n<body>\n<h1>" +
         escape_html(title) + "</h1>\n" + body + "</body></html>\n";
}

}  // namespace muster::cli
