#include "cli/svg_chart.h"

#include <algorithm>
#include <cstdio>

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
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += c;
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

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + escape_html(title) +
         "</title>\n<style>body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:880px;"
         "color:#1b1f24}h1{font-size:22px}h2{font-size:16px;margin-top:2rem}svg text{font-size:12px;"
         "fill:#1b1f24}svg rect{fill:#3b6ea8}table{border-collapse:collapse}td,th{padding:2px 12px 2px 0;"
         "text-align:right}td:first-child,th:first-child{text-align:left}</style></head>\n<body>\n<h1>" +
         escape_html(title) + "</h1>\n" + body + "</body></html>\n";
}

}  // namespace muster::cli
