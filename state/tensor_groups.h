// TensorGroups: the parts of a model that scores look at one by one, so that what was not trained
// shows.
//
// Group 0: the embedding, the final norm and the head. Then for each layer its attention and its
// MLP, each with the norm in front of it. Deep models: neighboring layers share their groups, so
// that there are at most kTensorGroupsMax. Thread safety: values and pure functions.
#pragma once

#include <span>
#include <vector>

#include "base/range.h"
#include "compression/payload.h"

namespace muster::state {

inline constexpr std::size_t kTensorGroupsMax = 16;

struct TensorGroups {
  struct Piece {
    Range parameters;
    std::size_t group = 0;
  };
  std::vector<Piece> pieces;  // ascending; together all parameters
  std::size_t count = 0;
};

// By the names that layout_of() gives tensors; what has another name is in group 0.
[[nodiscard]] TensorGroups tensor_groups(const compression::Layout& layout);

// sums[group] = Σ value · array[index] over the update's entries in the group, in fp64 by ascending
// index. REQUIRES: groups.count sums; indices below the array's size.
void multiply_by_group(const TensorGroups& groups, const compression::SparseUpdate& update,
                       std::span<const float> array, std::span<double> sums);

}  // namespace muster::state
