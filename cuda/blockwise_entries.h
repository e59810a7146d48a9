// BlockwiseEntries: a decoded payload by block, the form in which it goes to a card. Thread safety:
// a value.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/payload.h"

namespace muster::gpu {

struct BlockwiseEntries {
  std::vector<std::uint64_t> ends;     // entries before the end of each block
  std::vector<std::uint16_t> indices;  // within the block, ascending
  std::vector<float> values;
};

// Decodes as strictly as compression::decode. The same errors.
[[nodiscard]] Result<BlockwiseEntries> decode_blockwise(const compression::Layout& layout,
                                                        const compression::Payload& payload,
                                                        unsigned threads = 1);

}  // namespace muster::gpu
