#include "chain/codec/scale.h"

#include <bit>

namespace muster::chain {

std::string_view name_of(ScaleFault fault) {
  switch (fault) {
    case ScaleFault::kNone:
      return "well formed";
    case ScaleFault::kTruncated:
      return "truncated";
    case ScaleFault::kNonMinimalCompact:
      return "a compact integer is not in its shortest form";
    case ScaleFault::kCompactTooLarge:
      return "a compact integer is over its type's range";
    case ScaleFault::kTooLong:
      return "a sequence is longer than its bound";
    case ScaleFault::kNotABool:
      return "a bool is neither 0 nor 1";
    case ScaleFault::kNotAscending:
      return "a set is not strictly ascending";
    case ScaleFault::kUnknownTag:
      return "an unknown tag";
    case ScaleFault::kUnknownCall:
      return "an unknown call";
    case ScaleFault::kTrailingBytes:
      return "bytes are left over";
  }
  MUSTER_UNREACHABLE();
}

Error error_of(ScaleFault fault) {
  const Errc code = fault == ScaleFault::kTruncated ? Errc::kTruncated
                    : fault == ScaleFault::kTooLong ? Errc::kTooLarge
                                                    : Errc::kMalformed;
  return Error{code, std::string(name_of(fault))};
}

// The low two bits choose the form: one byte, two, four, or a byte count and that many bytes.
void ScaleWriter::write_compact(std::uint64_t value) {
  if (value < (1u << 6)) {
    out_.write(static_cast<std::uint8_t>(value << 2));
  } else if (value < (1u << 14)) {
    out_.write(static_cast<std::uint16_t>(value << 2 | 1));
  } else if (value < (1u << 30)) {
    out_.write(static_cast<std::uint32_t>(value << 2 | 2));
  } else {
    const unsigned bytes = (static_cast<unsigned>(std::bit_width(value)) + 7) / 8;
    out_.write(static_cast<std::uint8_t>((bytes - 4) << 2 | 3));
    for (unsigned i = 0; i < bytes; ++i) out_.write(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

std::uint64_t ScaleReader::read_compact(std::uint64_t maximum) {
  std::uint8_t first = 0;
  read(first);
  const int form = first & 3;
  const std::size_t more = form == 0 ? 0 : form == 1 ? 1 : form == 2 ? 3 : (first >> 2) + 4u;
  std::uint64_t value = form == 3 ? 0 : first >> 2;
  const int shift = form == 3 ? 0 : 6;
  if (more > 8) fail(ScaleFault::kCompactTooLarge);
  const ByteSpan rest = take(more);
  for (std::size_t i = 0; i < rest.size(); ++i)
    value |= static_cast<std::uint64_t>(rest[i]) << (static_cast<std::size_t>(shift) + 8 * i);
  if (failed()) return 0;
  const bool minimal = form == 0 || (form == 1 && value >= (1u << 6)) ||
                       (form == 2 && value >= (1u << 14)) ||
                       (form == 3 && value >= (1u << 30) && rest.back() != 0);
  if (!minimal) fail(ScaleFault::kNonMinimalCompact);
  if (value > maximum) fail(ScaleFault::kCompactTooLarge);
  return failed() ? 0 : value;
}

std::size_t ScaleReader::read_count(std::size_t maximum) {
  const std::uint64_t count = read_compact(kCountMax);
  if (failed()) return 0;
  if (count > maximum) fail(ScaleFault::kTooLong);
  if (count > rest_.size()) fail(ScaleFault::kTruncated);
  return failed() ? 0 : static_cast<std::size_t>(count);
}

bool ScaleReader::read_bool() {
  std::uint8_t byte = 0;
  read(byte);
  if (byte > 1) fail(ScaleFault::kNotABool);
  return byte == 1 && !failed();
}

std::uint8_t ScaleReader::read_tag(std::uint8_t maximum) {
  std::uint8_t tag = 0;
  read(tag);
  if (tag > maximum) fail(ScaleFault::kUnknownTag);
  return failed() ? 0 : tag;
}

ByteSpan ScaleReader::take(std::size_t count) {
  if (failed() || count > rest_.size()) {
    fail(ScaleFault::kTruncated);
    return {};
  }
  const ByteSpan taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

void ScaleReader::copy_to(std::span<std::uint8_t> out) {
  const ByteSpan bytes = take(out.size());
  if (bytes.size() == out.size()) std::copy(bytes.begin(), bytes.end(), out.begin());
}

}  // namespace muster::chain
