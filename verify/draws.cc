#include "verify/draws.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace muster::verify {
namespace {

constexpr std::uint64_t kWeightOne = 256;  // of the most uncertain miner
constexpr std::uint64_t kSmallestWeight = kWeightOne / 4;
constexpr std::uint64_t kNewcomerPlace = 4;  // every fourth

ByteSpan as_bytes(const std::uint16_t& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

// -log2((value + 1) / 2^64) in 2^-32, rounded up: an exponentially distributed number from a
// uniform one.
std::uint64_t exponential_of(std::uint64_t value) {
  if (value == std::numeric_limits<std::uint64_t>::max()) return 0;
  const int whole = 63 - std::countl_zero(value + 1);
  std::uint64_t mantissa = (value + 1) << (63 - whole);  // in [1, 2), of 2^-63
  std::uint64_t log2 = static_cast<std::uint64_t>(whole) << 32;
  for (int bit = 31; bit >= 0; --bit) {
    const auto square = static_cast<unsigned __int128>(mantissa) * mantissa;
    const bool at_least_two = (square >> 127) != 0;
    mantissa = static_cast<std::uint64_t>(square >> (at_least_two ? 64 : 63));
    if (at_least_two) log2 |= std::uint64_t{1} << bit;
  }
  return (std::uint64_t{64} << 32) - log2;
}

std::uint64_t weight_of(double uncertainty, double largest) {
  if (!(largest > 0)) return kWeightOne;
  const double share = uncertainty / largest;
  return std::max(kSmallestWeight,
                  static_cast<std::uint64_t>(std::floor(kWeightOne * share * share)));
}

}  // namespace

Hash late_beacon(const protocol::Manifest& manifest) {
  return tagged_hash("muster/late-beacon",
                     {manifest.reveals_hash.bytes, manifest.next_beacon.bytes});
}

std::vector<Uid> measuring_order(const protocol::Secret& secret, const Hash& late_beacon,
                                 const std::vector<Measurable>& miners) {
  double largest = 0;
  for (const Measurable& miner : miners) largest = std::max(largest, miner.uncertainty);
  struct Place {
    std::uint64_t when;  // the first of them first
    Uid uid;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<Place> newcomers, others;
  for (const Measurable& miner : miners) {
    Prng random(tagged_hash("muster/measuring-order",
                            {secret, late_beacon.bytes, as_bytes(miner.uid.value)}));
    // Below 65 · 2^32 · 256: no overflow.
    const std::uint64_t when =
        exponential_of(random.next_u64()) * kWeightOne / weight_of(miner.uncertainty, largest);
    (miner.newcomer ? newcomers : others).push_back({when, miner.uid});
  }
  std::ranges::sort(newcomers);
  std::ranges::sort(others);
  Prng random(tagged_hash("muster/newcomers-place", {secret, late_beacon.bytes}));
  const std::uint64_t first = random.below(kNewcomerPlace);
  std::vector<Uid> order;
  for (std::size_t n = 0, o = 0; n < newcomers.size() || o < others.size();) {
    const bool newcomers_turn = order.size() % kNewcomerPlace == first;
    const bool newcomer = o == others.size() || (newcomers_turn && n < newcomers.size());
    order.push_back(newcomer ? newcomers[n++].uid : others[o++].uid);
  }
  return order;
}

std::vector<std::uint64_t> screening_draw(const protocol::ProtocolParams& params,
                                          const Hash& run_id, const protocol::RoundOpen& open,
                                          const protocol::Secret& secret) {
  Prng random(tagged_hash("muster/screening-draw", {secret, open.beacon.bytes}));
  return draw_unassigned(run_id, open, params.slice(), params.sequences, random,
                         params.verification.screen_sequences);
}

std::vector<std::uint64_t> shared_draw(const protocol::ProtocolParams& params, const Hash& run_id,
                                       const protocol::RoundOpen& open,
                                       const protocol::Secret& secret, const Hash& late_beacon) {
  Prng random(tagged_hash("muster/shared-draw", {secret, late_beacon.bytes}));
  return draw_unassigned(run_id, open, params.slice(), params.sequences, random,
                         params.verification.shared_sequences);
}

ScoreTask score_task(const protocol::ProtocolParams& params, const Hash& run_id, Round round,
                     const protocol::RoundOpen& open, const protocol::Secret& secret,
                     const Hash& late_beacon,
                     std::shared_ptr<const compression::SparseUpdate> aggregate) {
  return {.round = round,
          .probe_step = params.verification.probe_step * params.compression.outer_learning_rate,
          .shared_sequences = shared_draw(params, run_id, open, secret, late_beacon),
          .items = {},
          .context = params.model.context,
          .window_seed = tagged_hash("muster/window-seed", {secret, late_beacon.bytes}),
          .aggregate = std::move(aggregate)};
}

std::vector<std::uint64_t> own_draw(const protocol::ProtocolParams& params, const Hash& run_id,
                                    const protocol::RoundOpen& open, const protocol::Secret& secret,
                                    const Hash& late_beacon, Uid uid, std::uint32_t used) {
  const auto assigned = assigned_sequences(run_id, open, uid, params.slice(), params.sequences);
  const std::size_t available = std::min<std::size_t>(assigned.size(), used);
  Prng random(tagged_hash("muster/own-draw", {secret, late_beacon.bytes, as_bytes(uid.value)}));
  auto drawn = sample_distinct(random, available,
                               std::min<std::size_t>(available, params.verification.own_sequences));
  for (std::uint64_t& position : drawn) position = assigned[position];
  return drawn;
}

}  // namespace muster::verify
