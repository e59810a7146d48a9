// DataOrder: the order in which a training goes through its sequences, every one once per epoch.
//
// Position p of all epochs is sequence permutation_e(p mod n) of epoch e = p / n, a keyed
// permutation of seed and epoch (protocol/assignment.h): a position is all that a checkpoint needs.
// Thread safety: none; a value.
#pragma once

#include <optional>
#include <span>

#include "protocol/assignment.h"

namespace muster::trainer {

class DataOrder {
 public:
  // REQUIRES: sequences > 0.
  DataOrder(std::uint64_t seed, std::uint64_t sequences);
  // The sequences at [position, position + ids.size()).
  void fill(std::uint64_t position, std::span<std::uint64_t> ids);

 private:
  Hash key_;
  std::uint64_t sequences_;
  std::uint64_t epoch_ = 0;
  protocol::SequencePermutation permutation_;  // of epoch_
};

}  // namespace muster::trainer
