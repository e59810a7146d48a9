// rANS: range asymmetric numeral systems with static frequencies, four interleaved states.
//
// 32-bit states in [2^16, 2^32), 16-bit words, frequencies out of 2^12. Symbol i belongs to state i mod 4;
// all states share one word stream. A run of symbols has exactly one encoding: every state starts at 2^16
// in the encoder, so the decoder must end there with no word left.
// (Duda, "Asymmetric numeral systems", arXiv:1311.2540, 2013; interleaving: Giesen, arXiv:1402.3392, 2014.)
// Thread safety: tables are immutable; coders have one owner.
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
  // By slot: value (5 bits), distance from the symbol's start (12), frequency − 1 (12).
  std::vector<std::uint32_t> slots_;
};

// The nearest frequencies out of 2^12 to counts, at least 1 for what occurs; all 0 when nothing does.
[[nodiscard]] std::vector<std::uint32_t> scale_frequencies(std::span<const std::uint64_t> counts);

class RansEncoder {
 public:
  void put(RansSymbol symbol) { symbols_.push_back(symbol); }
  // The states and the words, in the order of reading; nothing for no symbols. Starts anew.
  void finish(Bytes& out);

 private:
  std::vector<RansSymbol> symbols_;  // in order; encoded from the last to the first
  std::vector<std::uint16_t> words_;
};

class RansDecoder {
 public:
  // Decodes from `bytes` (four states, words). Errors: kTruncated, kMalformed.
  [[nodiscard]] Status start(ByteSpan bytes);
  // Symbols that may be decoded before fits() must be asked again.
  static constexpr std::size_t kUncheckedMax = 8192;
  // False when more words were used than there are.
  [[nodiscard]] bool fits() const { return next_ <= end_; }
  // True when every state is back where an encoder starts and no word is left.
  [[nodiscard]] bool finished() const;

  std::uint32_t get(const RansTable& table) {
    std::uint32_t& state = states_[lane_++ % kRansStates];
    const std::uint32_t entry = table.slots_[state % kRansTotal];
    const std::uint32_t x =
        ((entry >> 17) + 1) * (state >> kRansBits) + (entry >> 5 & (kRansTotal - 1));
    const bool refill = x < kRansLow;
    state = refill ? x << 16 | words_[next_] : x;
    next_ += refill;
    return entry & 31;
  }

 private:
  std::array<std::uint32_t, kRansStates> states_{};
  std::vector<std::uint16_t> words_;  // padded, so that kUncheckedMax symbols stay inside
  std::size_t next_ = 0, end_ = 0, lane_ = 0;
};

}  // namespace muster::compression
