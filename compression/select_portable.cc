#include <cstdint>

#define MUSTER_KERNELS portable
namespace muster::compression::portable {
namespace {

// Writes the keys that reach the floor, and their indices, in order; returns how many.
std::uint32_t gather_survivors(const std::uint32_t* keys, std::uint32_t count, std::uint32_t floor,
                               std::uint32_t* survivors, std::uint16_t* indices) {
  std::uint32_t reached = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    survivors[reached] = keys[i];
    indices[reached] = static_cast<std::uint16_t>(i);
    reached += keys[i] >= floor ? 1 : 0;
  }
  return reached;
}

}  // namespace
}  // namespace muster::compression::portable

#include "compression/select_impl.h"

namespace muster::compression {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels{"portable", portable::accumulate, portable::select};

}  // namespace muster::compression
