#include "compression/rans.h"

#include <algorithm>

namespace muster::compression {

RansTable RansTable::make(std::span<const std::uint32_t> frequencies) {
  MUSTER_CHECK(frequencies.size() <= 32, "an alphabet of over 32 symbols");
  RansTable table;
  table.slots_.resize(kRansTotal);
  std::uint32_t start = 0;
  for (std::uint32_t value = 0; value < frequencies.size(); ++value) {
    const std::uint32_t frequency = frequencies[value];
    table.symbols_[value] = {static_cast<std::uint16_t>(start),
                             static_cast<std::uint16_t>(frequency)};
    MUSTER_CHECK(frequency <= kRansTotal - start, "frequencies of over 2^12");
    std::fill_n(table.slots_.begin() + start, frequency, static_cast<std::uint8_t>(value));
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

namespace {

// ⌊x / f⌋ = x · kReciprocals[f] >> 44 for x < 2^32 and 1 ≤ f ≤ 2^12: the reciprocal is off by less
// than 2^-32 · 2^-12 of one.
constexpr auto kReciprocals = [] {
  std::array<std::uint64_t, kRansTotal + 1> reciprocals{};
  for (std::uint64_t f = 1; f <= kRansTotal; ++f) reciprocals[f] = (std::uint64_t{1} << 44) / f + 1;
  return reciprocals;
}();

// Encodes a symbol in front of those before; `first` is the first word so far. Without a branch:
// whether a word is written is close to random.
inline void push(RansSymbol symbol, std::uint32_t& state, std::uint16_t*& first) {
  first[-1] = static_cast<std::uint16_t>(state);
  const std::uint32_t full = state >> 20 >= symbol.frequency ? 1 : 0;
  first -= full;
  const std::uint32_t x = state >> (16 * full);
  const auto quotient = static_cast<std::uint32_t>(
      static_cast<unsigned __int128>(kReciprocals[symbol.frequency]) * x >> 44);
  state = x + quotient * (kRansTotal - symbol.frequency) + symbol.start;
}

}  // namespace

void RansEncoder::finish(const RansTable& later, Bytes& out) {
  if (count_ == 0) return;
  words_.resize(count_ + 1);  // at most one each, written from the end
  std::uint16_t* const end = words_.data() + words_.size();
  std::uint16_t* first = end;
  std::array<std::uint32_t, kRansStates> states;
  states.fill(kRansLow);
  auto symbol = [&](std::size_t i) {
    return symbols_[i].frequency > 0 ? symbols_[i] : later.symbol(symbols_[i].start);
  };
  std::size_t i = count_;
  for (; i % kRansStates != 0; --i) push(symbol(i - 1), states[(i - 1) % kRansStates], first);
  auto [a, b, c, d] = states;
  for (; i > 0; i -= kRansStates) {
    push(symbol(i - 1), d, first);
    push(symbol(i - 2), c, first);
    push(symbol(i - 3), b, first);
    push(symbol(i - 4), a, first);
  }
  ByteWriter writer;
  for (std::uint32_t state : {a, b, c, d}) writer.write(state);
  writer.append(bytes_of(std::span<const std::uint16_t>(first, end)));
  out.insert(out.end(), writer.bytes().begin(), writer.bytes().end());
  count_ = 0;
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
