#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "compression/quantize.h"
#include "compression/segment_codec.h"

namespace muster::compression {
namespace {

Error in_block(std::size_t block, Errc code, const char* what) {
  return {code, "block " + std::to_string(block) + ": " + what};
}

// Whether `levels` are ascending numbers, repeated behind the last different one.
Status check_levels(std::span<const std::uint16_t> levels, std::size_t block) {
  for (std::size_t c = 0; c < levels.size(); ++c) {
    if (!is_level(levels[c]))
      return in_block(block, Errc::kNonFinite, "a level that is zero, denormal or not finite");
    if (c == 0) continue;
    const bool ended = c >= 2 && levels[c - 1] == levels[c - 2];
    if (levels[c] < levels[c - 1] || (ended && levels[c] != levels[c - 1]))
      return in_block(block, Errc::kMalformed, "levels out of order");
  }
  return {};
}

unsigned raw_width(ValueFormat format) {
  return has_levels(format) ? 0 : format == ValueFormat::kFloat16 ? 14 : 31;
}

std::size_t scales_per_block(ValueFormat format) {
  return format == ValueFormat::kFloat32 ? 0 : std::size_t{1} << level_bits(format);
}

}  // namespace

SegmentReader::SegmentReader(const PayloadFormat& format, const GapModel& gaps)
    : format_(format), gaps_(gaps) {}

Status SegmentReader::read_counts(const Layout& layout, const SegmentRange& segment, ByteReader& in,
                                  SegmentEntries& entries) {
  const auto flags = in.read<std::uint8_t>();
  if (in.failed()) return Error{Errc::kTruncated, "no flags"};
  if (flags > 1) return Error{Errc::kMalformed, "unknown flags"};
  bool full = true;
  entries.counts.clear();
  for (std::uint32_t b = 0; b < segment.blocks; ++b) {
    const std::uint32_t keep =
        kept_in_block(format_.keep, layout.block(segment.first_block + b).elements);
    const std::uint32_t count = flags == 0 ? keep : in.read<std::uint16_t>();
    if (count > keep) return in_block(b, Errc::kMalformed, "more entries than are kept");
    full = full && count == keep;
    entries.counts.push_back(static_cast<std::uint16_t>(count));
  }
  if (in.failed()) return Error{Errc::kTruncated, "counts end too early"};
  if (full && flags == 1) return Error{Errc::kMalformed, "counts although every block is full"};
  return {};
}

Status SegmentReader::read_scales(ByteReader& in, const SegmentEntries& entries) {
  const std::size_t per_block = scales_per_block(format_.values);
  scales_.clear();
  for (std::size_t b = 0; b < entries.counts.size(); ++b) {
    if (entries.counts[b] == 0) continue;
    for (std::size_t c = 0; c < per_block; ++c) scales_.push_back(in.read<std::uint16_t>());
    const auto own = std::span(scales_).last(per_block);
    if (in.failed()) return Error{Errc::kTruncated, "scales end too early"};
    if (has_levels(format_.values)) {
      MUSTER_TRY_STATUS(check_levels(own, b));
    } else if (per_block == 1 && (own[0] < 1 || own[0] > 254)) {
      return in_block(b, Errc::kMalformed, "an exponent out of range");
    }
  }
  frequencies_.clear();
  if (level_bits(format_.values) == 0 || scales_.empty()) return {};
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < per_block; ++c) {
    frequencies_.push_back(in.read<std::uint16_t>());
    sum += frequencies_.back();
  }
  if (in.failed()) return Error{Errc::kTruncated, "level frequencies end too early"};
  if (sum != kRansTotal) return Error{Errc::kMalformed, "level frequencies of a wrong sum"};
  return {};
}

Status SegmentReader::read_indices(const Layout& layout, const SegmentRange& segment,
                                   BitPlaneReader& lows, SegmentEntries& entries) {
  const unsigned low_bits = gaps_.low_bits();
  std::uint16_t* out = entries.indices.data();
  for (std::uint32_t b = 0; b < segment.blocks; ++b) {
    const std::uint32_t elements = layout.block(segment.first_block + b).elements;
    const std::uint32_t count = entries.counts[b];
    if (count == elements) {
      std::iota(out, out + count, std::uint16_t{0});
      out += count;
      continue;
    }
    const RansTable* table = &gaps_.table(GapModel::kBase);
    std::uint32_t next = 0;
    for (std::uint32_t left = count; left > 0; --left) {
      if (GapModel::changes_at(left)) table = &gaps_.table(gaps_.choose(left, elements - next));
      std::uint32_t symbol = coder_.get(*table), quotient = symbol;
      // A block of 4096 has room for at most 133 escapes; what overruns is found below.
      while (symbol == kGapEscape && quotient <= kBlockElements)
        quotient += symbol = coder_.get(*table);
      const std::uint32_t index = next + (quotient << low_bits | lows.next());
      if (index > elements - left) return in_block(b, Errc::kMalformed, "an index outside");
      *out++ = static_cast<std::uint16_t>(index);
      next = index + 1;
    }
    if (!coder_.fits()) return in_block(b, Errc::kTruncated, "indices end too early");
  }
  return {};
}

Status SegmentReader::read_classes(const SegmentEntries& entries) {
  classes_.clear();
  if (frequencies_.empty()) return {};
  const RansTable table = RansTable::make(frequencies_);
  std::vector<std::uint64_t> occurrences(frequencies_.size(), 0);
  std::size_t scale = 0;
  for (std::size_t b = 0; b < entries.counts.size(); ++b) {
    const std::uint32_t count = entries.counts[b];
    if (count == 0) continue;
    std::uint32_t used = 0, largest = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t c = coder_.get(table);
      classes_.push_back(static_cast<std::uint8_t>(c));
      ++occurrences[c];
      used |= 1u << c;
      largest = std::max(largest, c);
    }
    if (!coder_.fits()) return in_block(b, Errc::kTruncated, "levels end too early");
    // The different levels are exactly the used ones.
    const auto own = std::span(scales_).subspan(scale, frequencies_.size());
    scale += frequencies_.size();
    std::uint32_t different = 1;
    for (std::size_t c = 1; c < own.size(); ++c) different += own[c] != own[c - 1] ? 1 : 0;
    if (used != (1u << different) - 1) return in_block(b, Errc::kMalformed, "a level that is not used");
  }
  if (scale_frequencies(occurrences) != frequencies_)
    return Error{Errc::kMalformed, "level frequencies that are not those of the levels"};
  return {};
}

Status SegmentReader::read_level_values(BitPlaneReader& signs, SegmentEntries& entries) {
  const std::size_t per_block = scales_per_block(format_.values);
  const std::uint16_t* levels = scales_.data();
  const std::uint8_t* classes = classes_.empty() ? nullptr : classes_.data();
  float* out = entries.values.data();
  for (std::uint32_t count : entries.counts) {
    if (count == 0) continue;
    std::uint32_t occurrences[8] = {};
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t c = classes == nullptr ? 0 : *classes++;
      ++occurrences[c];
      *out++ = std::bit_cast<float>(std::uint32_t{levels[c]} << 16 | signs.next() << 31);
    }
    double square = 0;
    for (std::size_t c = 0; c < per_block; ++c) {
      const auto level = static_cast<double>(from_bf16(levels[c]));
      square += occurrences[c] * (level * level);
    }
    entries.square_norm += square;
    levels += per_block;
  }
  return {};
}

Status SegmentReader::read_raw_values(BitPlaneReader& signs, BitPlaneReader& raw,
                                      SegmentEntries& entries) {
  const bool half = format_.values == ValueFormat::kFloat16;
  const std::uint16_t* exponents = scales_.data();
  float* out = entries.values.data();
  for (std::size_t b = 0; b < entries.counts.size(); ++b) {
    const std::uint32_t count = entries.counts[b];
    if (count == 0) continue;
    const std::uint32_t exponent = half ? *exponents++ : 0;
    std::uint32_t largest = 0;
    double square = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t bits = raw.next();
      largest = std::max(largest, bits);
      const float magnitude = half ? from_scaled_half(static_cast<std::uint16_t>(bits), exponent)
                                   : std::bit_cast<float>(bits);
      if (!std::isnormal(magnitude))
        return in_block(b, Errc::kNonFinite, "a value that is zero, denormal or not finite");
      square += static_cast<double>(magnitude) * static_cast<double>(magnitude);
      *out++ = signs.next() == 1 ? -magnitude : magnitude;
    }
    if (half && largest < 0x3800)
      return in_block(b, Errc::kMalformed, "an exponent that is not the largest value's");
    entries.square_norm += square;
  }
  return {};
}

Status SegmentReader::read(const Layout& layout, std::uint32_t segment, ByteSpan bytes,
                           SegmentEntries& entries) {
  const SegmentRange& range = layout.segment(segment);
  ByteReader in(bytes);
  MUSTER_TRY_STATUS(read_counts(layout, range, in, entries));
  MUSTER_TRY_STATUS(read_scales(in, entries));
  std::uint64_t total = 0, coded = 0;
  for (std::uint32_t b = 0; b < range.blocks; ++b) {
    total += entries.counts[b];
    if (entries.counts[b] < layout.block(range.first_block + b).elements) coded += entries.counts[b];
  }
  entries.indices.resize(total);
  entries.values.resize(total);
  entries.square_norm = 0;

  const unsigned width = raw_width(format_.values);
  auto plane = [&in](std::uint64_t count, unsigned bits) {
    return BitPlaneReader(in.take(BitPlaneReader::size(count, bits)), bits);
  };
  BitPlaneReader lows = plane(coded, gaps_.low_bits());
  BitPlaneReader signs = plane(total, 1);
  BitPlaneReader raw = plane(total, width);
  if (in.failed()) return Error{Errc::kTruncated, "bit planes end too early"};
  const bool has_symbols = coded > 0 || !frequencies_.empty();
  if (has_symbols) MUSTER_TRY_STATUS(coder_.start(in.take(in.remaining())));
  if (in.remaining() > 0) return Error{Errc::kMalformed, "bytes after the last block"};

  MUSTER_TRY_STATUS(read_indices(layout, range, lows, entries));
  MUSTER_TRY_STATUS(read_classes(entries));
  if (has_symbols && !coder_.finished())
    return Error{Errc::kMalformed, "coded symbols that do not end where an encoder starts"};
  if (has_levels(format_.values)) {
    MUSTER_TRY_STATUS(read_level_values(signs, entries));
  } else {
    MUSTER_TRY_STATUS(read_raw_values(signs, raw, entries));
  }
  if (!lows.padding_is_zero() || !signs.padding_is_zero() || !raw.padding_is_zero())
    return Error{Errc::kMalformed, "padding that is not zero"};
  return {};
}

}  // namespace muster::compression
