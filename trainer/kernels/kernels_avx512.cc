#define MUSTER_KERNELS avx512_kernels
#include "trainer/kernels/impl/table.h"

namespace muster::trainer {

extern const Kernels<float> kAvx512Kernels;
const Kernels<float> kAvx512Kernels = MUSTER_KERNELS::table<float>("avx512");

}  // namespace muster::trainer
