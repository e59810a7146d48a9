// PayloadFormat: how much of each block a payload keeps, in how many parts, and how it writes the
// values.
//
// Thread safety: values.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "compression/layout.h"

namespace muster::compression {

enum class ValueFormat : std::uint8_t {
  kSign = 0,           // sign, and one bf16 scale per block (the mean magnitude)
  kSignMagnitude = 1,  // sign, and one of 2 bf16 levels per block (Lloyd)
  kMagnitude2 = 2,     // … of 4
  kMagnitude3 = 3,     // … of 8
  kFloat16 = 4,        // fp16 below an exponent per block
  kFloat32 = 5,
};
inline constexpr std::uint8_t kValueFormats = 6;

// Bits of a level's number; 0 for one level and for floats.
[[nodiscard]] constexpr unsigned level_bits(ValueFormat format) {
  return format <= ValueFormat::kMagnitude3 ? static_cast<unsigned>(format) : 0;
}
[[nodiscard]] constexpr bool has_levels(ValueFormat format) {
  return format <= ValueFormat::kMagnitude3;
}

// A payload has one part, or two whose sum it stands for: the fresh part follows from the round's
// update alone, the memory part from what the update and earlier rounds leave behind
// (compression/error_feedback.h).
struct PayloadFormat {
  std::uint32_t keep = 64;  // of a full block, in all parts together; 1..kBlockElements
  ValueFormat values = ValueFormat::kSign;
  std::uint32_t memory_keep =
      0;  // of `keep`, what the memory part has; below `keep`. 0: there is one part
  bool operator==(const PayloadFormat&) const = default;

  [[nodiscard]] constexpr bool has_memory() const { return memory_keep > 0; }
  // The format of each part alone. REQUIRES for memory_part(): has_memory().
  [[nodiscard]] constexpr PayloadFormat fresh_part() const {
    return {keep - memory_keep, values, 0};
  }
  [[nodiscard]] constexpr PayloadFormat memory_part() const { return {memory_keep, values, 0}; }
};

// Two parts of equal size; the fresh one has the larger half. A `keep` of 1 makes one part.
[[nodiscard]] constexpr PayloadFormat two_part_format(std::uint32_t keep, ValueFormat values) {
  return {keep, values, keep / 2};
}

// "sign", "levels2", "levels4", "levels8", "fp16", "fp32".
[[nodiscard]] std::string_view name_of(ValueFormat format);
// Error: kInvalidArgument, with the names there are.
[[nodiscard]] Result<ValueFormat> value_format_named(std::string_view name);

// Errors: kInvalidArgument, naming the field.
[[nodiscard]] Status check_format(const PayloadFormat& format);

}  // namespace muster::compression
