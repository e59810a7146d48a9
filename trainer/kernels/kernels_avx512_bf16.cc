#define MUSTER_KERNELS avx512_bf16_kernels
#include "trainer/kernels/impl/table.h"

namespace muster::trainer {

extern const Kernels<Bf16> kAvx512Bf16Kernels;
const Kernels<Bf16> kAvx512Bf16Kernels = MUSTER_KERNELS::table<Bf16>("avx512_bf16");

}  // namespace muster::trainer
