// TorchScope: sets a thread up for tensor work and leaves it as it was.
//
// Numerical libraries may switch the CPU to flushing denormals (FTZ, DAZ); arithmetic that peers
// must agree on would then differ on the same thread. Every entry into the tensor library from
// outside stands in the life of one of these. It also sets the number of threads, which OpenMP
// keeps per calling thread. Autograd is off inside, but where code turns it on. Thread safety: one
// per thread and call.
#pragma once

#include <c10/core/GradMode.h>

#include <cstdint>

namespace muster::trainer {

class TorchScope {
 public:
  explicit TorchScope(int threads);
  ~TorchScope();
  TorchScope(const TorchScope&) = delete;
  TorchScope& operator=(const TorchScope&) = delete;

 private:
  std::uint32_t control_;  // the thread's MXCSR before
  c10::NoGradGuard no_grad_;
};

}  // namespace muster::trainer
