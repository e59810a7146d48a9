#include "cuda/blockwise_entries.h"

namespace muster::gpu {

Result<BlockwiseEntries> decode_blockwise(const compression::Layout& layout,
                                          const compression::Payload& payload, unsigned threads) {
  std::vector<BlockwiseEntries> parts(payload.segments.size());
  MUSTER_TRY_STATUS(compression::for_each_block(
      layout, payload, threads,
      [&](std::size_t s, const compression::Block&, const compression::BlockEntries& block) {
        BlockwiseEntries& part = parts[s];
        part.indices.insert(part.indices.end(), block.indices.begin(), block.indices.end());
        part.values.insert(part.values.end(), block.values.begin(), block.values.end());
        part.ends.push_back(part.indices.size());
      }));
  BlockwiseEntries entries;
  entries.ends.reserve(layout.block_count());
  for (BlockwiseEntries& part : parts) {
    const std::uint64_t before = entries.indices.size();
    for (std::uint64_t end : part.ends) entries.ends.push_back(before + end);
    entries.indices.insert(entries.indices.end(), part.indices.begin(), part.indices.end());
    entries.values.insert(entries.values.end(), part.values.begin(), part.values.end());
    part = {};
  }
  return entries;
}

}  // namespace muster::gpu
