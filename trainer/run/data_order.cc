#include "trainer/run/data_order.h"

namespace muster::trainer {
namespace {

Hash key_of(std::uint64_t seed) {
  ByteWriter writer;
  writer.write(seed);
  return tagged_hash("muster/training-order", writer.bytes());
}

}  // namespace

DataOrder::DataOrder(std::uint64_t seed, std::uint64_t sequences)
    : key_(key_of(seed)), sequences_(sequences), permutation_(key_, 0, sequences) {}

void DataOrder::fill(std::uint64_t position, std::span<std::uint64_t> ids) {
  for (std::uint64_t& id : ids) {
    const std::uint64_t epoch = position / sequences_;
    if (epoch != epoch_) {
      epoch_ = epoch;
      permutation_ = protocol::SequencePermutation(key_, epoch, sequences_);
    }
    id = permutation_.at(position++ % sequences_);
  }
}

}  // namespace muster::trainer
