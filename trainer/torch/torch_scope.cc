#include "trainer/torch/torch_scope.h"

#include <ATen/Parallel.h>
#include <xmmintrin.h>

namespace muster::trainer {

TorchScope::TorchScope(int threads) : control_(_mm_getcsr()) {
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

TorchScope::~TorchScope() { _mm_setcsr(control_); }

}  // namespace muster::trainer
