#include "protocol/weight.h"

#include <algorithm>

namespace muster::protocol {
namespace {

// Newcomers weigh one part beside so many parts of the proven.
constexpr std::uint64_t kProvenParts = 9;

}  // namespace

std::vector<std::uint64_t> miner_weights(std::span<const Standing> standings) {
  std::uint64_t proven = 0, newcomers = 0;
  for (const Standing& standing : standings)
    (standing.proven ? proven : newcomers) += standing.value;
  // In units that make a tenth of all a whole number: newcomers · (all standing of the proven / (9
  // · that of newcomers)).
  const bool is_bounded = proven > 0 && kProvenParts * newcomers > proven;
  std::vector<std::uint64_t> weights;
  for (const Standing& standing : standings) {
    const std::uint64_t unit = !is_bounded       ? 1
                               : standing.proven ? kProvenParts * newcomers
                                                 : proven;
    weights.push_back(standing.value * unit);
  }
  return weights;
}

void Share::add(std::uint64_t weight, bool in_part) {
  all_ += weight;
  ++members_;
  if (!in_part) return;
  part_ += weight;
  ++members_in_part_;
}

bool Share::is_most() const { return 2 * part() > all(); }

bool Share::is_at_least(std::uint16_t percent) const {
  return members_ > 0 && 100 * part() >= percent * all();
}

}  // namespace muster::protocol
