// rANS: range asymmetric numeral systems with static frequencies, four interleaved states.
//
// 32-bit states in [2^16, 2^32), 16-bit words, frequencies out of 2^12. Symbol i belongs to state i
// mod 4; all states share one word stream. A run of symbols has exactly one encoding: every state
// starts at 2^16 in the encoder, so the decoder must end there with no word left. (Duda,
// "Asymmetric numeral systems", arXiv:1311.2540, 2013; interleaving: Giesen, arXiv:1402.3392,
// 2014.) Thread safety: tables are immutable; coders have one owner.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace muster::compression {

inline constexpr unsigned kRansBits = 12;
inline constexpr std::uint32_t kRansTotal = 1u << kRansBits;
inline constexpr std::uint32_t kRansLow = 1u << 16;
inline constexpr std::size_t kRansStates = 4;

struct RansSymbol {
  std::uint16_t start = 0;
  std::uint16_t frequency = 0;  // 1..4096
};

class RansTable {
 public:
  // At most 32 frequencies, some may be 0. REQUIRES: they sum to 2^12.
  [[nodiscard]] static RansTable make(std::span<const std::uint32_t> frequencies);

  [[nodiscard]] RansSymbol symbol(std::uint32_t value) const { return symbols_[value]; }

 private:
  friend class RansDecoder;
  std::array<RansSymbol, 32> symbols_{};
  std::vector<std::uint8_t>
      slots_;  // the value whose range a slot lies in; small, to stay in the cache
};

// The nearest frequencies out of 2^12 to counts, at least 1 for what occurs; all 0 when nothing
// does.
[[nodiscard]] std::vector<std::uint32_t> scale_frequencies(std::span<const std::uint64_t> counts);

class RansEncoder {
 public:
  // Room for `count` more symbols; once before they are put.
  void reserve(std::size_t count) {
    if (symbols_.size() < count_ + count) symbols_.resize(2 * (count_ + count));
  }
  void put(RansSymbol symbol) { symbols_[count_++] = symbol; }
  // A symbol whose table is known at the end only.
  void put_later(std::uint32_t value) {
    symbols_[count_++] = {static_cast<std::uint16_t>(value), 0};
  }
  // The states and the words, in the order of reading; nothing for no symbols. Starts anew.
  void finish(const RansTable& later, Bytes& out);

 private:
  std::vector<RansSymbol> symbols_;  // in order; encoded from the last to the first
  std::size_t count_ = 0;
  std::vector<std::uint16_t> words_;
};

class RansDecoder {
 public:
  // Decodes from `bytes` (four states, words). Errors: kTruncated, kMalformed.
  [[nodiscard]] Status start(ByteSpan bytes);
  // Symbols that may be decoded before fits() must be asked again.
  static constexpr std::size_t kUncheckedMax = 16384;
  // False when more words were used than there are.
  [[nodiscard]] bool fits() const { return next_ <= end_; }
  // Bytes of the stream that were used so far.
  [[nodiscard]] std::uint64_t used_bytes() const { return sizeof(states_) + 2 * next_; }
  // True when every state is back where an encoder starts and no word is left.
  [[nodiscard]] bool finished() const;

  std::uint8_t get(const RansTable& table) {
    const std::uint16_t* next = words_.data() + next_;
    const std::uint8_t symbol = step(table, states_[lane_++ % kRansStates], next);
    next_ = static_cast<std::size_t>(next - words_.data());
    return symbol;
  }
  // `count` symbols of one table.
  void get(const RansTable& table, std::uint8_t* symbols, std::size_t count) {
    std::size_t i = 0;
    std::uint32_t a = state(0), b = state(1), c = state(2), d = state(3);
    const std::uint16_t* next = words_.data() + next_;
    for (; i + kRansStates <= count; i += kRansStates) {
      symbols[i] = step(table, a, next);
      symbols[i + 1] = step(table, b, next);
      symbols[i + 2] = step(table, c, next);
      symbols[i + 3] = step(table, d, next);
    }
    state(0) = a;
    state(1) = b;
    state(2) = c;
    state(3) = d;
    next_ = static_cast<std::size_t>(next - words_.data());
    for (; i < count; ++i) symbols[i] = get(table);
  }

 private:
  // Without a branch: whether a state is refilled is close to random.
  static std::uint8_t step(const RansTable& table, std::uint32_t& state,
                           const std::uint16_t*& next) {
    const std::uint32_t slot = state % kRansTotal;
    const std::uint8_t value = table.slots_[slot];
    const auto [start, frequency] = table.symbols_[value];
    const std::uint32_t x = frequency * (state >> kRansBits) + slot - start;
    const std::uint32_t refill = x < kRansLow ? 1 : 0;
    state = x << (refill * 16) | (*next & (0u - refill));
    next += refill;
    return value;
  }

  // The one that decodes the next symbol, or one of the three after it.
  std::uint32_t& state(std::size_t ahead) { return states_[(lane_ + ahead) % kRansStates]; }

  std::array<std::uint32_t, kRansStates> states_{};
  std::vector<std::uint16_t> words_;  // padded, so that kUncheckedMax symbols stay inside
  std::size_t next_ = 0, end_ = 0, lane_ = 0;
};

}  // namespace muster::compression
