// The kernels, as host code sees them: one thread block for each block of parameters, on a stream.
//
// Errors of a launch are cudaGetLastError()'s. Thread safety: that of the stream.
#pragma once

#include <cuda_runtime.h>

#include "cuda/compress_block.h"
#include "cuda/product_block.h"
#include "cuda/sum_block.h"

namespace muster::gpu {

// The same passes over all `blocks` of a task. `level_bits`: 0…3.
void launch_compress(const CompressTask& task, std::uint64_t blocks, unsigned level_bits,
                     cudaStream_t stream);
void launch_sum(const SumTask& task, std::uint64_t blocks, cudaStream_t stream);
void launch_step(const StepTask& task, std::uint64_t blocks, cudaStream_t stream);
// Puts back the kept values as they were: what a payload that was not delivered takes nothing from.
void launch_restore(const CompressTask& task, std::uint64_t blocks, cudaStream_t stream);
// array[i] *= factor
void launch_scale(float* array, std::uint64_t count, float factor, cudaStream_t stream);

// The sum of each of `chunks`.
void launch_products(const ProductTask& task, std::uint64_t chunks, cudaStream_t stream);

// A sparse change of an array, entry by entry; no two of the same index.
struct ChangeTask {
  float* array = nullptr;
  const std::uint64_t* indices = nullptr;
  std::uint64_t count = 0;
};
// kept[i] = array[index]; array[index] −= rate · values[i], rounded twice
void launch_displace(const ChangeTask& task, const float* values, float rate, float* kept,
                     cudaStream_t stream);
// array[index] and kept[i] change places
void launch_swap(const ChangeTask& task, float* kept, cudaStream_t stream);
// values[i] = array[index]
void launch_gather(const ChangeTask& task, float* values, cudaStream_t stream);
// difference = a − b; *others counts blocks of threads that found what is not finite
void launch_subtract(const float* a, const float* b, float* difference, std::uint64_t count,
                     unsigned* others, cudaStream_t stream);

}  // namespace muster::gpu
