// Quantities as people write them. Thread safety: pure functions. Errors: kInvalidArgument, with
// the form.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace muster::cli {

// "100mbit", "1.5gbit", "800kbit" (bits) or "12MB" (bytes) per second, to bytes per second; above
// 0.
[[nodiscard]] Result<double> parse_rate(const std::string& text);
// "90s", "20min", "1.5h", to seconds; above 0.
[[nodiscard]] Result<double> parse_duration(const std::string& text);

// "1%", "0.5 %" or "0.01": from 0 to 1.
[[nodiscard]] Result<double> parse_share(const std::string& text);

// "12", "0.5", "1000.000000001" TAO or alpha, exactly, to rao.
[[nodiscard]] Result<std::uint64_t> parse_rao(const std::string& text);
// "1000.000000001": all nine digits.
[[nodiscard]] std::string exact_tao(std::uint64_t rao);
// "1 234.568": for tables.
[[nodiscard]] std::string human_tao(std::uint64_t rao);

// "1.4 GB", "12.3 MB", "900 B".
[[nodiscard]] std::string human_bytes(double bytes);
// "1.5 h", "3.2 min", "12.0 s", "40 ms".
[[nodiscard]] std::string human_seconds(double seconds);

}  // namespace muster::cli
