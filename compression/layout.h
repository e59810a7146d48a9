// Layout: how a model's parameters lie in one flat fp32 array, and how that is cut for compression.
//
// Tensors lie one after the other without padding, in the layout's order. A *block* is 4096
// consecutive parameters of one tensor (the last block of a tensor may be short); a *segment* is
// 1024 consecutive blocks, the unit of coding, hashing and transfer. Thread safety: immutable after
// make().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/range.h"
#include "base/result.h"

namespace muster::compression {

inline constexpr std::uint32_t kBlockElements = 4096;
inline constexpr std::uint32_t kSegmentBlocks = 1024;

struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;    // of the first element in the flat array
  std::uint64_t elements = 0;  // product of the shape
};

struct Block {
  std::uint64_t offset = 0;    // of its first parameter in the flat array
  std::uint32_t elements = 0;  // 1..kBlockElements
};

// Parameters [offset, offset + elements), blocks [first_block, first_block + blocks).
struct SegmentRange {
  std::uint64_t offset = 0;
  std::uint64_t elements = 0;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
};

class Layout {
 public:
  struct NamedShape {
    std::string name;
    std::vector<std::uint64_t> shape;
  };
  Layout() = default;
  // Errors: kInvalidArgument (no tensors, an empty name or one that appears twice, a zero
  // dimension), kTooLarge (limits::kParametersMax, kTensorsMax).
  [[nodiscard]] static Result<Layout> make(const std::vector<NamedShape>& tensors);

  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  [[nodiscard]] std::uint64_t parameters() const { return parameters_; }
  [[nodiscard]] std::uint64_t block_count() const {
    return first_blocks_.empty() ? 0 : first_blocks_.back();
  }
  // Found among the tensors: a layout takes memory by its tensors and segments, not by its blocks.
  // REQUIRES: index < block_count().
  [[nodiscard]] Block block(std::uint64_t index) const;
  [[nodiscard]] std::uint32_t segment_count() const {
    return static_cast<std::uint32_t>(segments_.size());
  }
  [[nodiscard]] const SegmentRange& segment(std::uint32_t index) const { return segments_[index]; }
  // Binds names, shapes and order.
  [[nodiscard]] const Hash& hash() const { return hash_; }

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::uint64_t> first_blocks_;  // of each tensor, and behind the last one
  std::vector<SegmentRange> segments_;
  std::uint64_t parameters_ = 0;
  Hash hash_;
};

// The parameters of a range as a layout of their own, whose offsets count from the range's begin. A
// tensor that lies in it as a whole keeps name and shape; one that is cut is named after its part,
// and a matrix stays one, of a single row. Cut at the ends of segments, blocks and segments are
// those of the whole. REQUIRES: a range of the layout's parameters that is not empty.
[[nodiscard]] Layout slice(const Layout& layout, const Range& parameters);

// How many of a block's elements are kept: ⌈keep · elements / kBlockElements⌉, at least 1.
[[nodiscard]] constexpr std::uint32_t kept_in_block(std::uint32_t keep, std::uint32_t elements) {
  return static_cast<std::uint32_t>((std::uint64_t{keep} * elements + kBlockElements - 1) /
                                    kBlockElements);
}

}  // namespace muster::compression
