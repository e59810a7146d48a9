#define MUSTER_KERNELS avx2_kernels
#include "trainer/kernels/impl/table.h"

namespace muster::trainer {

extern const Kernels<float> kAvx2Kernels;
const Kernels<float> kAvx2Kernels = MUSTER_KERNELS::table<float>("avx2");

}  // namespace muster::trainer
