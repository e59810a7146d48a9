#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "compression/kernels.h"
#include "compression/part_codec.h"
#include "compression/quantize.h"

namespace muster::compression {
namespace {

Error in_block(std::size_t block, Error error) {
  return std::move(error).within("block " + std::to_string(block));
}

unsigned raw_width(ValueFormat format) {
  return has_levels(format) ? 0 : format == ValueFormat::kFloat16 ? 14 : 31;
}

std::size_t scales_per_block(ValueFormat format) {
  return format == ValueFormat::kFloat32 ? 0 : std::size_t{1} << level_bits(format);
}

// Escapes are rare, and a maximum is quicker than a count.
bool has_escape(std::span<const std::uint8_t> symbols) {
  std::uint8_t largest = 0;
  for (std::uint8_t symbol : symbols) largest = std::max(largest, symbol);
  return largest == kGapEscape;
}

std::uint32_t count_escapes(std::span<const std::uint8_t> symbols) {
  return static_cast<std::uint32_t>(
      std::count(symbols.begin(), symbols.end(), std::uint8_t{kGapEscape}));
}

}  // namespace

PartReader::PartReader(const PayloadFormat& format, const GapModel& gaps)
    : format_(format), gaps_(gaps) {}

Error PartReader::fault(Errc code, const char* what, std::uint64_t byte) const {
  return {code, std::string(what) + " at byte " +
                    std::to_string(std::min<std::uint64_t>(byte, bytes_.size())) + " of " +
                    std::to_string(bytes_.size())};
}

Status PartReader::open(const Layout& layout, std::uint32_t segment, ByteSpan bytes) {
  layout_ = &layout;
  range_ = layout.segment(segment);
  bytes_ = bytes;
  block_ = 0;
  scale_ = 0;
  occurrences_ = {};
  ByteReader in(bytes);
  MUSTER_TRY_STATUS(read_counts(in));
  MUSTER_TRY_STATUS(read_scales(in));
  std::uint64_t total = 0, coded = 0;
  for (std::uint32_t b = 0; b < range_.blocks; ++b) {
    total += counts_[b];
    if (counts_[b] < layout.block(range_.first_block + b).elements) coded += counts_[b];
  }
  auto plane = [&in](std::uint64_t count, unsigned bits) {
    return BitPlaneReader(in.take(BitPlaneReader::size(count, bits)), bits);
  };
  lows_ = plane(coded, gaps_.low_bits());
  signs_ = plane(total, 1);
  raw_ = plane(total, raw_width(format_.values));
  if (in.failed()) return fault(Errc::kTruncated, "bit planes end too early", bytes_.size());
  has_symbols_ = coded > 0 || !frequencies_.empty();
  symbols_start_ = byte_of(in);
  if (has_symbols_) {
    if (const Status started = coder_.start(in.take(in.remaining())); !started)
      return fault(started.error().code, started.error().message.c_str(), symbols_start_);
  }
  if (in.remaining() > 0) return fault(Errc::kMalformed, "bytes after the last block", byte_of(in));
  return {};
}

Status PartReader::read_counts(ByteReader& in) {
  const auto flags = in.read<std::uint8_t>();
  if (in.failed()) return fault(Errc::kTruncated, "no flags", 0);
  if (flags > 1) return fault(Errc::kMalformed, "unknown flags", 0);
  bool full = true;
  counts_.clear();
  for (std::uint32_t b = 0; b < range_.blocks; ++b) {
    const std::uint32_t keep =
        kept_in_block(format_.keep, layout_->block(range_.first_block + b).elements);
    const std::uint32_t count = flags == 0 ? keep : in.read<std::uint16_t>();
    if (count > keep)
      return in_block(b, fault(Errc::kMalformed, "more entries than are kept", byte_of(in) - 2));
    full = full && count == keep;
    counts_.push_back(static_cast<std::uint16_t>(count));
  }
  if (in.failed()) return fault(Errc::kTruncated, "counts end too early", bytes_.size());
  if (full && flags == 1) return fault(Errc::kMalformed, "counts although every block is full", 0);
  return {};
}

Status PartReader::read_scales(ByteReader& in) {
  const std::size_t per_block = scales_per_block(format_.values);
  scales_.clear();
  for (std::size_t b = 0; b < counts_.size(); ++b) {
    if (counts_[b] == 0) continue;
    for (std::size_t c = 0; c < per_block; ++c) scales_.push_back(in.read<std::uint16_t>());
    const auto own = std::span(scales_).last(per_block);
    if (in.failed()) return fault(Errc::kTruncated, "scales end too early", bytes_.size());
    const std::uint64_t start = byte_of(in) - per_block * sizeof(own[0]);
    if (has_levels(format_.values)) {
      if (Status levels = check_levels(own, start); !levels)
        return in_block(b, std::move(levels).error());
    } else if (per_block == 1 && (own[0] < 1 || own[0] > 254)) {
      return in_block(b, fault(Errc::kMalformed, "an exponent out of range", start));
    }
  }
  frequencies_.clear();
  if (level_bits(format_.values) == 0 || scales_.empty()) return {};
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < per_block; ++c) {
    frequencies_.push_back(in.read<std::uint16_t>());
    sum += frequencies_.back();
  }
  if (in.failed()) return fault(Errc::kTruncated, "level frequencies end too early", bytes_.size());
  if (sum != kRansTotal)
    return fault(Errc::kMalformed, "level frequencies of a wrong sum", byte_of(in));
  classes_table_ = RansTable::make(frequencies_);
  return {};
}

// Whether `levels`, which begin at `byte`, are ascending numbers, repeated behind the last
// different one.
Status PartReader::check_levels(std::span<const std::uint16_t> levels, std::uint64_t byte) const {
  for (std::size_t c = 0; c < levels.size(); ++c, byte += sizeof(levels[0])) {
    if (!is_level(levels[c]))
      return fault(Errc::kNonFinite, "a level that is zero, denormal or not finite", byte);
    if (c == 0) continue;
    const bool ended = c >= 2 && levels[c - 1] == levels[c - 2];
    if (levels[c] < levels[c - 1] || (ended && levels[c] != levels[c - 1]))
      return fault(Errc::kMalformed, "levels out of order", byte);
  }
  return {};
}

Result<BlockEntries> PartReader::next(PartBuffers& buffers) {
  MUSTER_CHECK(block_ < range_.blocks, "no further block");
  const std::uint32_t b = block_++, count = counts_[b];
  if (count == 0) return BlockEntries{};
  const std::uint32_t elements = layout_->block(range_.first_block + b).elements;
  if (count == elements) {
    std::iota(buffers.indices.begin(), buffers.indices.begin() + count, std::uint16_t{0});
  } else {
    if (!read_indices(elements, count, buffers))
      return in_block(b, fault(Errc::kMalformed, "an index outside", coder_byte()));
    if (!coder_.fits())
      return in_block(b, fault(Errc::kTruncated, "indices end too early", coder_byte()));
  }
  const std::size_t scales = scales_per_block(format_.values);
  const auto levels = std::span<const std::uint16_t>(scales_).subspan(scale_, scales);
  if (!frequencies_.empty()) {
    if (!read_classes(levels, count, buffers))
      return in_block(b, fault(Errc::kMalformed, "a level that is not used", coder_byte()));
    if (!coder_.fits())
      return in_block(b, fault(Errc::kTruncated, "levels end too early", coder_byte()));
  }
  if (has_levels(format_.values)) {
    read_level_values(levels, count, buffers);
  } else {
    MUSTER_TRY_STATUS(read_raw_values(count, buffers));
  }
  scale_ += scales;
  return BlockEntries{std::span(buffers.indices).first(count),
                      std::span(buffers.values).first(count), square_norm_};
}

// False when an index lies outside the block.
bool PartReader::read_indices(std::uint32_t elements, std::uint32_t count, PartBuffers& to) {
  const unsigned low_bits = gaps_.low_bits();
  // All but the last few entries share a table. Escapes make more symbols than entries; a block has
  // room for at most 4096 / 31 of them.
  const RansTable& base = gaps_.table(GapModel::kBase);
  const std::uint32_t plain = count > GapModel::kChangesFrom ? count - GapModel::kChangesFrom : 0;
  std::uint32_t symbols = 0;
  for (std::uint32_t missing = plain; missing > 0;) {
    if (symbols + missing > to.symbols.size()) return false;
    coder_.get(base, to.symbols.data() + symbols, missing);
    const auto decoded = std::span(to.symbols).subspan(symbols, missing);
    symbols += missing;
    missing = has_escape(decoded) ? count_escapes(decoded) : 0;
  }
  std::uint32_t next = 0, entry = 0;
  if (symbols == plain) {
    next = kernels().indices_of(to.symbols.data(), plain, low_bits, lows_.bytes().data(),
                                lows_.bytes().size(), lows_.bit(), to.indices.data());
    lows_.skip(plain);
    entry = plain;
  } else {
    std::uint32_t quotient = 0;
    for (std::uint32_t i = 0; i < symbols; ++i) {
      quotient += to.symbols[i];
      if (to.symbols[i] == kGapEscape) continue;
      next += quotient << low_bits | lows_.next();
      to.indices[entry++] = static_cast<std::uint16_t>(next++);
      quotient = 0;
    }
  }
  if (next > elements) return false;
  const RansTable* table = &base;
  for (; entry < count; ++entry) {
    const std::uint32_t left = count - entry;
    if (GapModel::changes_at(left)) table = &gaps_.table(gaps_.choose(left, elements - next));
    std::uint32_t symbol = coder_.get(*table), quotient = symbol;
    while (symbol == kGapEscape && quotient <= kBlockElements)
      quotient += symbol = coder_.get(*table);
    next += quotient << low_bits | lows_.next();
    if (next >= elements) return false;
    to.indices[entry] = static_cast<std::uint16_t>(next++);
  }
  return true;
}

// Into symbols and class_counts_. False when the different levels are not exactly the used ones.
bool PartReader::read_classes(std::span<const std::uint16_t> levels, std::uint32_t count,
                              PartBuffers& to) {
  coder_.get(classes_table_, to.symbols.data(), count);
  class_counts_ = count_classes(std::span(to.symbols).first(count));
  bool exact = true, different = true;
  for (std::size_t c = 0; c < levels.size(); ++c) {
    different = different && (c == 0 || levels[c] != levels[c - 1]);
    exact = exact && different == (class_counts_[c] > 0);
    occurrences_[c] += class_counts_[c];
  }
  return exact;
}

void PartReader::read_level_values(std::span<const std::uint16_t> levels, std::uint32_t count,
                                   PartBuffers& to) {
  signs_.read(to.numbers.data(), count);
  std::array<std::uint32_t, 16> by_class_and_sign{};
  square_norm_ = 0;
  for (std::size_t c = 0; c < levels.size(); ++c) {
    by_class_and_sign[2 * c] = std::uint32_t{levels[c]} << 16;
    by_class_and_sign[2 * c + 1] = by_class_and_sign[2 * c] | 1u << 31;
    const auto level = static_cast<double>(from_bf16(levels[c]));
    square_norm_ += (levels.size() == 1 ? count : class_counts_[c]) * (level * level);
  }
  if (levels.size() == 1) {
    for (std::uint32_t i = 0; i < count; ++i)
      to.values[i] = std::bit_cast<float>(by_class_and_sign[0] | to.numbers[i] << 31);
  } else {
    for (std::uint32_t i = 0; i < count; ++i)
      to.values[i] =
          std::bit_cast<float>(by_class_and_sign[(2u * to.symbols[i] + to.numbers[i]) % 16]);
  }
}

Status PartReader::read_raw_values(std::uint32_t count, PartBuffers& to) {
  const bool half = format_.values == ValueFormat::kFloat16;
  const std::uint32_t exponent = half ? scales_[scale_] : 0;
  std::uint32_t largest = 0;
  square_norm_ = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t byte = byte_of(raw_);
    const std::uint32_t bits = raw_.next();
    largest = std::max(largest, bits);
    const float magnitude = half ? from_scaled_half(static_cast<std::uint16_t>(bits), exponent)
                                 : std::bit_cast<float>(bits);
    if (!std::isnormal(magnitude))
      return in_block(block_ - 1, fault(Errc::kNonFinite,
                                        "a value that is zero, denormal or not finite", byte));
    square_norm_ += static_cast<double>(magnitude) * static_cast<double>(magnitude);
    to.values[i] = signs_.next() == 1 ? -magnitude : magnitude;
  }
  if (half && largest < 0x3800)
    return in_block(
        block_ - 1,
        fault(Errc::kMalformed, "an exponent that is not the largest value's", byte_of(raw_)));
  return {};
}

Status PartReader::close() {
  MUSTER_CHECK(block_ == range_.blocks, "blocks that were not read");
  if (!frequencies_.empty() &&
      scale_frequencies(std::span(occurrences_).first(frequencies_.size())) != frequencies_)
    return fault(Errc::kMalformed, "level frequencies that are not those of the levels",
                 bytes_.size());
  if (has_symbols_ && !coder_.finished())
    return fault(Errc::kMalformed, "coded symbols that do not end where an encoder starts",
                 coder_byte());
  for (const BitPlaneReader* plane : {&lows_, &signs_, &raw_})
    if (!plane->padding_is_zero())
      return fault(Errc::kMalformed, "padding that is not zero", byte_of(*plane));
  return {};
}

}  // namespace muster::compression
