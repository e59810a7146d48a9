#include "protocol/assignment.h"

#include <algorithm>
#include <bit>

namespace muster::protocol {
namespace {

constexpr int kFeistelRounds = 8;

Hash epoch_key(const Hash& run_id, std::uint64_t epoch) {
  ByteWriter number;
  number.write(epoch);
  return tagged_hash("muster/epoch", {run_id.bytes, number.bytes()});
}

// Which slice each miner of the roster has, by roster order: a Fisher-Yates shuffle by the beacon.
std::vector<std::uint64_t> shuffled_slices(const Hash& beacon, std::uint64_t miners) {
  std::vector<std::uint64_t> slices(miners);
  for (std::uint64_t i = 0; i < miners; ++i) slices[i] = i;
  Prng random(tagged_hash("muster/slices", beacon.bytes));
  for (std::uint64_t i = miners; i > 1; --i) std::swap(slices[i - 1], slices[random.below(i)]);
  return slices;
}

}  // namespace

SequencePermutation::SequencePermutation(const Hash& run_id, std::uint64_t epoch,
                                         std::uint64_t count)
    : count_(count) {
  MUSTER_CHECK(count > 0, "a permutation of nothing");
  const auto bits = static_cast<unsigned>(std::bit_width(count - 1));
  half_bits_ = std::max(1u, (bits + 1) / 2);
  const Hash key = epoch_key(run_id, epoch);
  ByteReader reader(key.bytes);
  for (std::uint32_t& word : key_) word = reader.read<std::uint32_t>();
  for (std::uint32_t& word : tweak_) word = reader.read<std::uint32_t>();
}

std::uint64_t SequencePermutation::encipher(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < kFeistelRounds; ++round) {
    const auto mixed =
        philox4x32({static_cast<std::uint32_t>(right), round, tweak_[0], tweak_[1]}, key_);
    const std::uint64_t next = left ^ (mixed[0] & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::uint64_t SequencePermutation::at(std::uint64_t position) const {
  MUSTER_CHECK(position < count_, "a position outside the data");
  std::uint64_t value = encipher(position);
  while (value >= count_) value = encipher(value);
  return value;
}

DataCursor fit_cursor(DataCursor cursor, std::uint64_t miners, std::uint32_t slice,
                      std::uint64_t sequences) {
  if (cursor.position + miners * slice <= assignable(sequences)) return cursor;
  return {cursor.epoch + 1, 0};
}

std::vector<std::uint64_t> assigned_sequences(const Hash& run_id, const RoundOpen& open, Uid uid,
                                              std::uint32_t slice, std::uint64_t sequences) {
  const auto rank = miner_rank(open, uid);
  if (!rank) return {};
  const std::uint64_t first =
      open.cursor + shuffled_slices(open.beacon, miner_count(open))[*rank] * slice;
  if (slice > sequences || first > sequences - slice || open.cursor > sequences) return {};
  const SequencePermutation permutation(run_id, open.epoch, sequences);
  std::vector<std::uint64_t> assigned;
  assigned.reserve(slice);
  for (std::uint32_t i = 0; i < slice; ++i) assigned.push_back(permutation.at(first + i));
  return assigned;
}

std::vector<std::uint64_t> draw_unassigned(const Hash& run_id, const RoundOpen& open,
                                           std::uint32_t slice, std::uint64_t sequences,
                                           Prng& random, std::size_t count) {
  const std::uint64_t first =
      std::min(open.cursor + miner_count(open) * slice, assignable(sequences));
  const std::uint64_t ahead = sequences - first;
  const std::uint64_t longest_ago =
      std::min(sequences / 2 - std::min(ahead, sequences / 2), open.cursor);
  const SequencePermutation permutation(run_id, open.epoch, sequences);
  std::vector<std::uint64_t> drawn = sample_distinct(random, ahead + longest_ago, count);
  for (std::uint64_t& position : drawn) position = permutation.at((first + position) % sequences);
  return drawn;
}

}  // namespace muster::protocol
