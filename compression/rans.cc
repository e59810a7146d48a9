#include "compression/rans.h"

#include <algorithm>

namespace muster::compression {

RansTable RansTable::make(std::span<const std::uint32_t> frequencies) {
  MUSTER_CHECK(frequencies.size() <= 32, "an alphabet of over 32 symbols");
  RansTable table;
  table.slots_.reserve(kRansTotal);
  std::uint32_t start = 0;
  for (std::uint32_t value = 0; value < frequencies.size(); ++value) {
    const std::uint32_t frequency = frequencies[value];
    table.symbols_[value] = {static_cast<std::uint16_t>(start),
                             static_cast<std::uint16_t>(frequency)};
    for (std::uint32_t i = 0; i < frequency; ++i)
      table.slots_.push_back((frequency - 1) << 17 | i << 5 | value);
    start += frequency;
  }
  MUSTER_CHECK(start == kRansTotal, "frequencies that do not sum to 2^12");
  return table;
}

std::vector<std::uint32_t> scale_frequencies(std::span<const std::uint64_t> counts) {
  std::uint64_t total = 0;
  for (std::uint64_t count : counts) total += count;
  std::vector<std::uint32_t> frequencies(counts.size(), 0);
  if (total == 0) return frequencies;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::uint64_t nearest = (counts[i] * kRansTotal + total / 2) / total;
    frequencies[i] = std::max(1u, static_cast<std::uint32_t>(nearest));
    sum += frequencies[i];
  }
  // The largest, the first of equals, takes up the difference.
  *std::max_element(frequencies.begin(), frequencies.end()) += kRansTotal - sum;
  return frequencies;
}

void RansEncoder::finish(Bytes& out) {
  if (symbols_.empty()) return;
  std::array<std::uint32_t, kRansStates> states;
  states.fill(kRansLow);
  words_.clear();
  for (std::size_t i = symbols_.size(); i-- > 0;) {
    std::uint32_t& state = states[i % kRansStates];
    const auto [start, frequency] = symbols_[i];
    if (state >> 20 >= frequency) {
      words_.push_back(static_cast<std::uint16_t>(state));
      state >>= 16;
    }
    state = (state / frequency << kRansBits) + state % frequency + start;
  }
  ByteWriter writer;
  for (std::uint32_t state : states) writer.write(state);
  std::reverse(words_.begin(), words_.end());
  writer.append(bytes_of(std::span<const std::uint16_t>(words_)));
  out.insert(out.end(), writer.bytes().begin(), writer.bytes().end());
  symbols_.clear();
}

Status RansDecoder::start(ByteSpan bytes) {
  ByteReader reader(bytes);
  for (std::uint32_t& state : states_) state = reader.read<std::uint32_t>();
  if (reader.failed() || reader.remaining() % 2 != 0)
    return Error{Errc::kTruncated, "coded symbols end too early"};
  for (std::uint32_t state : states_)
    if (state < kRansLow) return Error{Errc::kMalformed, "a coder state out of range"};
  end_ = reader.remaining() / 2;
  next_ = lane_ = 0;
  words_.assign(end_ + kUncheckedMax, 0);
  const ByteSpan words = reader.take(reader.remaining());
  if (!words.empty()) std::memcpy(words_.data(), words.data(), words.size());
  return {};
}

bool RansDecoder::finished() const {
  return next_ == end_ &&
         std::all_of(states_.begin(), states_.end(), [](auto state) { return state == kRansLow; });
}

}  // namespace muster::compression
