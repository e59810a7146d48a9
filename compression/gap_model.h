// GapModel: how likely each gap between neighbouring kept indices is, as integer frequencies.
//
// k of 4096 kept at random leave gaps that are nearly geometric. A gap is coded as quotient and
// `low_bits` raw bits; the quotient by its frequency, up to 30, and beyond as an escape that starts
// over, which a geometric distribution makes free. Near the end of a block the count that is left
// says more than the density, so the last entries use the model of what is left. All arithmetic is
// exactly rounded, so the tables are the same everywhere. Costs under 1 % more than log2 C(4096, k)
// for k from 16 up. Thread safety: immutable.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "compression/rans.h"

namespace muster::compression {

inline constexpr std::uint32_t kGapEscape = 31;  // "31 more, go on"

class GapModel {
 public:
  // `keep` of 4096, 1..4096.
  explicit GapModel(std::uint32_t keep);

  [[nodiscard]] unsigned low_bits() const { return low_bits_; }
  // The model to start a block with.
  static constexpr std::uint32_t kBase = 6;
  // With so many entries left it is chosen anew for the first time.
  static constexpr std::uint32_t kChangesFrom = 8;
  [[nodiscard]] static bool changes_at(std::uint32_t entries_left) {
    return entries_left <= kChangesFrom && (0x116u >> entries_left & 1) != 0;  // 8, 4, 2, 1
  }
  // The model for `entries_left` entries among `elements_left` elements. REQUIRES: changes_at().
  [[nodiscard]] std::uint32_t choose(std::uint32_t entries_left,
                                     std::uint32_t elements_left) const {
    std::uint32_t model = 0;
    for (std::uint16_t limit : limits_[static_cast<std::size_t>(std::countr_zero(entries_left))])
      model += elements_left < limit ? 1 : 0;
    return model;
  }

  [[nodiscard]] const RansTable& table(std::uint32_t model) const { return tables_[model]; }

 private:
  static constexpr std::uint32_t kModels = 13;  // densities of 2^(j/2) times the base, j = −6…6
  unsigned low_bits_ = 0;
  // For 1, 2, 4 and 8 entries left: among fewer elements than this a model is too thin.
  std::array<std::array<std::uint16_t, kModels - 1>, 4> limits_{};
  std::vector<RansTable> tables_;
};

}  // namespace muster::compression
