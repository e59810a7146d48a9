// Inspection: what a payload, an aggregate or a model's state holds, tensor by tensor, for people.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compression/payload.h"

namespace muster::cli {

// Counts of magnitudes by their power of two: counts[i] lie in [2^(first + i), 2^(first + i + 1)).
struct Octaves {
  int first = 0;
  std::vector<std::uint64_t> counts;
};
// Of what is not zero.
[[nodiscard]] Octaves octaves_of(std::span<const float> values);

struct TensorRow {
  std::string name, shape;
  std::uint64_t parameters = 0;
  std::uint64_t entries = 0;  // kept by a payload; not zero in a state
  double norm = 0;            // Euclidean
  double largest = 0;         // magnitude
};

struct PayloadInspection {
  compression::PayloadFormat format;
  std::uint64_t parameters = 0, entries = 0, bytes = 0, blocks = 0, full_blocks = 0;
  double norm = 0;
  // Per entry of a part; where both parts have one it counts twice.
  double bits_per_index = 0;
  double bound_bits_per_index = 0;  // log2 of how many index sets a block has, over its entries
  double bits_per_value = 0;        // signs, levels and scales
  std::vector<TensorRow> tensors;
  Octaves octaves;
};
// Errors: those of compression::decode.
[[nodiscard]] Result<PayloadInspection> inspect_payload(const compression::Layout& layout,
                                                        const compression::Payload& payload);

struct ArrayInspection {
  std::string name;  // "θ", "error feedback", …
  double norm = 0;
  std::vector<TensorRow> tensors;
  Octaves octaves;
};
// REQUIRES: layout.parameters() values.
[[nodiscard]] ArrayInspection inspect_array(const compression::Layout& layout, std::string name,
                                            std::span<const float> values);

}  // namespace muster::cli
