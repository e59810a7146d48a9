#include "cli/units.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>
#include <string_view>

namespace muster::cli {
namespace {

struct Unit {
  std::string_view name;
  double value;
};

// A number above 0 and one of the units, nothing else.
Result<double> parse(const std::string& text, std::span<const Unit> units, const char* form) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem == std::errc() && number > 0 && std::isfinite(number))
    for (const Unit& unit : units)
      if (std::string_view(rest, static_cast<std::size_t>(end - rest)) == unit.name)
        return number * unit.value;
  return Error{Errc::kInvalidArgument, "'" + text + "' is not understood; write it as " + form};
}

// The largest unit that leaves at least 1.
std::string human(double value, std::span<const Unit> units) {
  const Unit* unit = &units.front();
  for (const Unit& next : units)
    if (value >= next.value) unit = &next;
  char text[48];
  std::snprintf(text, sizeof(text), "%.3g %s", value / unit->value,
                std::string(unit->name).c_str());
  return text;
}

}  // namespace

Result<double> parse_rate(const std::string& text) {
  static constexpr Unit kUnits[] = {{"kbit", 125}, {"mbit", 125e3}, {"gbit", 125e6},
                                    {"kB", 1e3},   {"MB", 1e6},     {"GB", 1e9}};
  return parse(text, kUnits, "100mbit, 1gbit or 12MB (per second)");
}

Result<double> parse_duration(const std::string& text) {
  static constexpr Unit kUnits[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
  return parse(text, kUnits, "90s, 20min or 1h");
}

Result<double> parse_share(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const double share = unit.empty() ? number : number / 100;
  if (problem == std::errc() && (unit.empty() || unit == "%" || unit == " %") && share >= 0 &&
      share <= 1)
    return share;
  return Error{Errc::kInvalidArgument, "'" + text + "' is no share; write it as 1% or 0.01"};
}

Result<std::uint64_t> parse_rao(const std::string& text) {
  constexpr std::size_t kDigits = 9;
  const auto dot = text.find('.');
  const std::string whole = text.substr(0, dot),
                    part = dot == std::string::npos ? "" : text.substr(dot + 1);
  const bool digits =
      std::all_of(whole.begin(), whole.end(), [](unsigned char c) { return std::isdigit(c); }) &&
      std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c); });
  if (!digits || whole.empty() || whole.size() > 10 || part.size() > kDigits ||
      (dot != std::string::npos && part.empty()))
    return Error{
        Errc::kInvalidArgument,
        "'" + text +
            "' is no amount; write it as 12 or 0.5, with at most nine digits behind the point"};
  return std::stoull(whole + part + std::string(kDigits - part.size(), '0'));
}

std::string exact_tao(std::uint64_t rao) {
  std::string part = std::to_string(rao % 1'000'000'000);
  return std::to_string(rao / 1'000'000'000) + "." + std::string(9 - part.size(), '0') + part;
}

std::string human_tao(std::uint64_t rao) {
  std::string whole = std::to_string(rao / 1'000'000'000);
  for (std::size_t at = whole.size(); at > 3;) whole.insert(at -= 3, " ");
  return whole + exact_tao(rao).substr(exact_tao(rao).find('.'), 4);
}

std::string human_bytes(double bytes) {
  static constexpr Unit kUnits[] = {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
  return human(bytes, kUnits);
}

std::string human_seconds(double seconds) {
  static constexpr Unit kUnits[] = {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}};
  return human(seconds, kUnits);
}

}  // namespace muster::cli
