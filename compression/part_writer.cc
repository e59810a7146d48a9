#include <algorithm>
#include <bit>
#include <cmath>

#include "compression/kernels.h"
#include "compression/part_codec.h"
#include "compression/quantize.h"
#include "compression/selection.h"

namespace muster::compression {

Error not_finite(std::uint64_t index) {
  return {Errc::kNonFinite, "element " + std::to_string(index) + " is not finite"};
}

PartWriter::PartWriter(const PayloadFormat& format, const GapModel& gaps)
    : format_(format),
      gaps_(gaps),
      selected_(kBlockElements + 16),  // as the kernels ask for
      values_(kBlockElements),
      magnitudes_(kBlockElements),
      classes_(kBlockElements) {}

Result<KeptEntries> PartWriter::add_block(std::span<const float> values) {
  const auto elements = static_cast<std::uint32_t>(values.size());
  const std::uint32_t keep = kept_in_block(format_.keep, elements);
  count_ = kernels().select(values.data(), elements, keep, selected_.data());
  if (count_ == kNotFinite) {
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    return not_finite(static_cast<std::uint64_t>(bad - values.begin()));
  }
  begin_block(elements);
  if (count_ > 0) {
    for (std::uint32_t i = 0; i < count_; ++i) values_[i] = values[selected_[i]];
    for (std::uint32_t i = 0; i < count_; ++i) magnitudes_[i] = std::fabs(values_[i]);
    for (std::uint32_t i = 0; i < count_; ++i) signs_.write(std::signbit(values_[i]), 1);
    if (count_ < elements) write_gaps(elements);
    if (has_levels(format_.values)) {
      quantise_levels();
    } else if (format_.values == ValueFormat::kFloat16) {
      write_half();
    } else {
      write_float();
    }
  }
  return KeptEntries{std::span(selected_).first(count_), std::span(values_).first(count_)};
}

void PartWriter::add_selected(std::uint32_t elements, std::span<const std::uint16_t> entries,
                              std::span<const std::uint16_t> levels) {
  count_ = static_cast<std::uint32_t>(entries.size());
  begin_block(elements);
  if (count_ == 0) return;
  for (std::uint32_t i = 0; i < count_; ++i) selected_[i] = index_of(entries[i]);
  for (std::uint32_t i = 0; i < count_; ++i) classes_[i] = class_of(entries[i]);
  for (std::uint32_t i = 0; i < count_; ++i) signs_.write(is_negative(entries[i]), 1);
  if (count_ < elements) write_gaps(elements);
  write_levels(levels);
}

void PartWriter::begin_block(std::uint32_t elements) {
  counts_.push_back(static_cast<std::uint16_t>(count_));
  full_ = full_ && count_ == kept_in_block(format_.keep, elements);
}

void PartWriter::write_gaps(std::uint32_t elements) {
  const unsigned low_bits = gaps_.low_bits();
  const std::uint32_t mask = (1u << low_bits) - 1;
  coder_.reserve(count_ + elements / kGapEscape);
  std::uint32_t next = 0;
  const RansTable* table = &gaps_.table(GapModel::kBase);
  for (std::uint32_t i = 0; i < count_; ++i) {
    const std::uint32_t left = count_ - i;
    if (GapModel::changes_at(left)) table = &gaps_.table(gaps_.choose(left, elements - next));
    const std::uint32_t gap = selected_[i] - next;
    lows_.write(gap & mask, low_bits);
    std::uint32_t quotient = gap >> low_bits;
    for (; quotient >= kGapEscape; quotient -= kGapEscape) coder_.put(table->symbol(kGapEscape));
    coder_.put(table->symbol(quotient));
    next = selected_[i] + 1u;
  }
}

void PartWriter::quantise_levels() {
  const std::span<std::uint8_t> classes = std::span(classes_).first(count_);
  const unsigned bits = level_bits(format_.values);
  const Levels levels = quantise(std::span(magnitudes_).first(count_), bits, classes);
  for (std::uint32_t i = 0; i < count_; ++i)
    values_[i] = std::copysign(from_bf16(levels[classes[i]]), values_[i]);
  write_levels(std::span(levels).first(std::size_t{1} << bits));
}

void PartWriter::write_levels(std::span<const std::uint16_t> levels) {
  for (std::uint16_t level : levels) scales_.write(level);
  if (levels.size() == 1) return;
  const std::span<const std::uint8_t> classes = std::span(classes_).first(count_);
  coder_.reserve(count_);
  for (std::uint8_t c : classes) coder_.put_later(c);
  const auto counts = count_classes(classes);
  for (std::size_t c = 0; c < counts.size(); ++c) occurrences_[c] += counts[c];
}

void PartWriter::write_half() {
  const float largest = *std::max_element(
      magnitudes_.begin(), magnitudes_.begin() + static_cast<std::ptrdiff_t>(count_));
  const std::uint32_t exponent = block_exponent(largest);
  scales_.write(static_cast<std::uint16_t>(exponent));
  for (std::uint32_t i = 0; i < count_; ++i) {
    const std::uint16_t half = to_scaled_half(magnitudes_[i], exponent);
    raw_.write(half, 14);
    values_[i] = std::copysign(from_scaled_half(half, exponent), values_[i]);
  }
}

void PartWriter::write_float() {
  for (std::uint32_t i = 0; i < count_; ++i)
    raw_.write(std::bit_cast<std::uint32_t>(magnitudes_[i]), 31);
}

Bytes PartWriter::finish() {
  ByteWriter head;
  head.write(static_cast<std::uint8_t>(full_ ? 0 : 1));
  if (!full_)
    for (std::uint16_t count : counts_) head.write(count);
  head.append(scales_.bytes());
  RansTable classes;
  if (level_bits(format_.values) > 0 && !scales_.bytes().empty()) {
    const auto frequencies = scale_frequencies(
        std::span(occurrences_).first(std::size_t{1} << level_bits(format_.values)));
    for (std::uint32_t frequency : frequencies) head.write(static_cast<std::uint16_t>(frequency));
    classes = RansTable::make(frequencies);
  }
  Bytes bytes = std::move(head).take();
  lows_.finish(bytes);
  signs_.finish(bytes);
  raw_.finish(bytes);
  coder_.finish(classes, bytes);
  counts_.clear();
  scales_ = {};
  occurrences_ = {};
  full_ = true;
  return bytes;
}

}  // namespace muster::compression
