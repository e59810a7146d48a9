#include "compression/payload.h"

#include <bit>
#include <cmath>

#include "compression/index_code.h"
#include "compression/quantize.h"
#include "compression/topk.h"

namespace muster::compression {
namespace {

constexpr unsigned kCountBits = 13;  // 0..4096

Status check_format(const PayloadFormat& format) {
  if (format.keep >= 1 && format.keep <= kBlockElements) return {};
  return Error{Errc::kInvalidArgument, "keep is " + std::to_string(format.keep) +
                                           ", must be from 1 to " + std::to_string(kBlockElements)};
}

std::string place(std::uint32_t segment, std::uint32_t block) {
  return "payload segment " + std::to_string(segment) + ", block " + std::to_string(block);
}

// One block: full-count flag, else count; indices; levels; signs; level bits.
void write_block(BitWriter& out, std::span<const float> block,
                 std::span<const std::uint32_t> selected, std::uint32_t keep, ValueFormat format) {
  const auto count = static_cast<std::uint32_t>(selected.size());
  out.write(count == keep, 1);
  if (count != keep) out.write(count, kCountBits);
  if (count == 0) return;
  write_indices(out, selected, static_cast<std::uint32_t>(block.size()));
  std::vector<float> magnitudes;
  for (std::uint32_t index : selected) magnitudes.push_back(std::fabs(block[index]));
  const Levels levels = quantise(magnitudes, format);
  out.write(levels.low, 16);
  if (format == ValueFormat::kSignMagnitude) out.write(levels.high, 16);
  for (std::uint32_t index : selected) out.write(std::signbit(block[index]), 1);
  if (format == ValueFormat::kSignMagnitude && levels.low != levels.high)
    for (bool high : levels.is_high) out.write(high, 1);
}

Status read_levels(BitReader& in, std::uint32_t count, ValueFormat format,
                   std::vector<float>& values) {
  const auto low = static_cast<std::uint16_t>(in.read(16));
  const auto high =
      format == ValueFormat::kSignMagnitude ? static_cast<std::uint16_t>(in.read(16)) : low;
  if (in.failed()) return Error{Errc::kTruncated, "levels end too early"};
  if (!is_level(low) || !is_level(high))
    return Error{Errc::kNonFinite, "a level that is zero, denormal or not finite"};
  if (high < low) return Error{Errc::kMalformed, "levels out of order"};
  std::vector<bool> negative(count);
  for (std::uint32_t i = 0; i < count; ++i) negative[i] = in.read(1) == 1;
  std::uint32_t highs = 0;
  values.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool is_high = low != high && in.read(1) == 1;
    highs += is_high;
    const float magnitude = from_bf16(is_high ? high : low);
    values.push_back(negative[i] ? -magnitude : magnitude);
  }
  if (in.failed()) return Error{Errc::kTruncated, "signs end too early"};
  if (low != high && (highs == 0 || highs == count))
    return Error{Errc::kMalformed, "two levels of which one is not used"};
  return {};
}

Status read_block(BitReader& in, const Block& block, const PayloadFormat& format,
                  std::vector<std::uint32_t>& indices, std::vector<float>& values) {
  const std::uint32_t keep = kept_in_block(format.keep, block.elements);
  std::uint32_t count = keep;
  if (in.read(1) == 0) {
    count = in.read(kCountBits);
    if (!in.failed() && count >= keep) return Error{Errc::kMalformed, "a count that is no less"};
  }
  if (in.failed()) return Error{Errc::kTruncated, "ends too early"};
  indices.clear();
  values.clear();
  if (count == 0) return {};
  MUSTER_TRY_STATUS(read_indices(in, count, block.elements, indices));
  return read_levels(in, count, format.values, values);
}

}  // namespace

Result<Payload> compress(const Layout& layout, const PayloadFormat& format,
                         std::span<const float> dense) {
  MUSTER_TRY_STATUS(check_format(format));
  MUSTER_CHECK(dense.size() == layout.parameters(), "an update of another layout");
  Payload payload{format, {}};
  std::vector<std::uint32_t> selected;
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const SegmentRange& segment = layout.segment(s);
    BitWriter out;
    for (std::uint32_t b = 0; b < segment.blocks; ++b) {
      const Block& block = layout.block(segment.first_block + b);
      const auto values = dense.subspan(block.offset, block.elements);
      const std::uint32_t keep = kept_in_block(format.keep, block.elements);
      if (Status status = select_top(values, keep, selected); !status)
        return std::move(status).error().within(place(s, b));
      write_block(out, values, selected, keep, format.values);
    }
    payload.segments.push_back(std::move(out).take());
  }
  return payload;
}

Result<SparseUpdate> decode(const Layout& layout, const Payload& payload) {
  MUSTER_TRY_STATUS(check_format(payload.format));
  if (payload.segments.size() != layout.segment_count())
    return Error{Errc::kMalformed, "payload: " + std::to_string(payload.segments.size()) +
                                       " segments, the layout has " +
                                       std::to_string(layout.segment_count())};
  SparseUpdate update;
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const SegmentRange& segment = layout.segment(s);
    BitReader in(payload.segments[s]);
    for (std::uint32_t b = 0; b < segment.blocks; ++b) {
      const Block& block = layout.block(segment.first_block + b);
      if (Status status = read_block(in, block, payload.format, indices, values); !status)
        return std::move(status).error().within(place(s, b));
      for (std::uint32_t index : indices) update.indices.push_back(block.offset + index);
      update.values.insert(update.values.end(), values.begin(), values.end());
    }
    if (!in.finished()) {
      return Error{Errc::kMalformed,
                   "payload segment " + std::to_string(s) + ": bits after its last block"};
    }
    update.segment_ends.push_back(update.indices.size());
  }
  return update;
}

double norm(const SparseUpdate& update) {
  double total = 0;
  std::uint64_t next = 0;
  for (std::uint64_t end : update.segment_ends) {
    double segment = 0;
    for (; next < end; ++next)
      segment += static_cast<double>(update.values[next]) * static_cast<double>(update.values[next]);
    total += segment;
  }
  return std::sqrt(total);
}

}  // namespace muster::compression
