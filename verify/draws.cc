#include "verify/draws.h"

#include <algorithm>

namespace muster::verify {
namespace {

ByteSpan as_bytes(const std::uint16_t& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

}  // namespace

std::vector<std::uint64_t> screening_draw(const protocol::ProtocolParams& params,
                                          const Hash& run_id, const protocol::RoundOpen& open,
                                          const protocol::Secret& secret) {
  Prng random(tagged_hash("muster/screening-draw", {secret, open.beacon.bytes}));
  return draw_unassigned(run_id, open, params.slice(), params.sequences, random,
                         params.verification.screen_sequences);
}

std::vector<std::uint64_t> shared_draw(const protocol::ProtocolParams& params, const Hash& run_id,
                                       const protocol::RoundOpen& open,
                                       const protocol::Secret& secret, const Hash& commit_root) {
  Prng random(tagged_hash("muster/shared-draw", {secret, commit_root.bytes}));
  return draw_unassigned(run_id, open, params.slice(), params.sequences, random,
                         params.verification.shared_sequences);
}

std::vector<std::uint64_t> own_draw(const protocol::ProtocolParams& params, const Hash& run_id,
                                    const protocol::RoundOpen& open,
                                    const protocol::Secret& secret, const Hash& commit_root,
                                    Uid uid, std::uint32_t used) {
  const auto assigned =
      assigned_sequences(run_id, open, uid, params.slice(), params.sequences);
  const std::size_t available = std::min<std::size_t>(assigned.size(), used);
  Prng random(tagged_hash("muster/own-draw", {secret, commit_root.bytes, as_bytes(uid.value)}));
  auto drawn = sample_distinct(
      random, available, std::min<std::size_t>(available, params.verification.own_sequences));
  for (std::uint64_t& position : drawn) position = assigned[position];
  return drawn;
}

}  // namespace muster::verify
