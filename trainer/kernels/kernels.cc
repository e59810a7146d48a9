#include "trainer/kernels/kernels.h"

#include <vector>

namespace muster::trainer {

extern const Kernels<float> kPortableKernels;
#if defined(__x86_64__)
extern const Kernels<float> kAvx2Kernels, kAvx512Kernels;
extern const Kernels<Bf16> kAvx512Bf16Kernels;
#endif

namespace {

std::vector<const Kernels<float>*> find_float() {
  std::vector<const Kernels<float>*> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    found.push_back(&kAvx512Kernels);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    found.push_back(&kAvx2Kernels);
#endif
  found.push_back(&kPortableKernels);
  return found;
}

std::vector<const Kernels<Bf16>*> find_bf16() {
  std::vector<const Kernels<Bf16>*> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    found.push_back(&kAvx512Bf16Kernels);
#endif
  return found;
}

}  // namespace

template <>
std::span<const Kernels<float>* const> available_kernels<float>() {
  static const std::vector<const Kernels<float>*> found = find_float();
  return found;
}

template <>
std::span<const Kernels<Bf16>* const> available_kernels<Bf16>() {
  static const std::vector<const Kernels<Bf16>*> found = find_bf16();
  return found;
}

}  // namespace muster::trainer
