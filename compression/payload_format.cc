#include "compression/payload_format.h"

#include <array>
#include <string>

namespace muster::compression {
namespace {

constexpr std::array<std::string_view, kValueFormats> kNames{"sign",    "levels2", "levels4",
                                                             "levels8", "fp16",    "fp32"};

}  // namespace

std::string_view name_of(ValueFormat format) { return kNames[static_cast<std::size_t>(format)]; }

Result<ValueFormat> value_format_named(std::string_view name) {
  std::string all;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ValueFormat>(i);
    all += (i == 0 ? "" : ", ") + std::string(kNames[i]);
  }
  return Error{Errc::kInvalidArgument,
               "'" + std::string(name) + "' is no value format; there are " + all};
}

Status check_format(const PayloadFormat& format) {
  if (format.keep < 1 || format.keep > kBlockElements)
    return Error{Errc::kInvalidArgument, "keep is " + std::to_string(format.keep) +
                                             ", must be from 1 to " +
                                             std::to_string(kBlockElements)};
  if (format.memory_keep >= format.keep)
    return Error{Errc::kInvalidArgument, "memory_keep is " + std::to_string(format.memory_keep) +
                                             ", must be below keep, which is " +
                                             std::to_string(format.keep)};
  if (static_cast<std::uint8_t>(format.values) >= kValueFormats)
    return Error{Errc::kInvalidArgument, "unknown value format"};
  return {};
}

}  // namespace muster::compression
