// Data assignment: which sequences each miner must train on in a round.
//
// Per epoch a keyed permutation orders all sequences; every round takes the next stretch of it, cut
// in equal slices, and the round's beacon shuffles the slices among the miners. So no sequence
// repeats within an epoch and anyone can say afterwards what each miner had. The permutation's last
// fiftieth is never assigned. (Cycle-walking Feistel network: Black and Rogaway, "Ciphers with
// arbitrary finite domains", CT-RSA 2002.) Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/prng.h"
#include "protocol/messages.h"

namespace muster::protocol {

class SequencePermutation {
 public:
  // REQUIRES: count > 0.
  SequencePermutation(const Hash& run_id, std::uint64_t epoch, std::uint64_t count);
  // REQUIRES: position < count.
  [[nodiscard]] std::uint64_t at(std::uint64_t position) const;

 private:
  [[nodiscard]] std::uint64_t encipher(std::uint64_t value) const;
  std::uint64_t count_;
  unsigned half_bits_;
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 2> tweak_;
};

// Where the data of a round lies: positions [cursor, cursor + miners · slice) of the epoch.
struct DataCursor {
  std::uint64_t epoch = 0;
  std::uint64_t position = 0;
  bool operator==(const DataCursor&) const = default;
};

// Positions that may be assigned: all but the last fiftieth.
[[nodiscard]] constexpr std::uint64_t assignable(std::uint64_t sequences) {
  return sequences - sequences / 50;
}

// The cursor that a round of `miners` can use: `cursor`, or the start of the next epoch when too
// few positions are left.
[[nodiscard]] DataCursor fit_cursor(DataCursor cursor, std::uint64_t miners, std::uint32_t slice,
                                    std::uint64_t sequences);

// The sequences of miner `uid` in the round that `open` opened, in order; empty for who is no miner
// of its roster.
[[nodiscard]] std::vector<std::uint64_t> assigned_sequences(const Hash& run_id,
                                                            const RoundOpen& open, Uid uid,
                                                            std::uint32_t slice,
                                                            std::uint64_t sequences);

// `count` distinct sequences that nobody was assigned so far, nor in the round of `open`; where
// those are less than half of all, also of what was assigned longest ago in the epoch. REQUIRES:
// there are as many (params validation sees to it).
[[nodiscard]] std::vector<std::uint64_t> draw_unassigned(const Hash& run_id, const RoundOpen& open,
                                                         std::uint32_t slice,
                                                         std::uint64_t sequences, Prng& random,
                                                         std::size_t count);

}  // namespace muster::protocol
