#define MUSTER_KERNELS portable_kernels
#include "trainer/kernels/impl/table.h"

namespace muster::trainer {

extern const Kernels<float> kPortableKernels;
const Kernels<float> kPortableKernels = MUSTER_KERNELS::table<float>("portable");

}  // namespace muster::trainer
