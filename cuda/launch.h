// The kernels, as host code sees them: one thread block for each block of parameters, on a stream.
//
// Errors of a launch are cudaGetLastError()'s. Thread safety: that of the stream.
#pragma once

#include <cuda_runtime.h>

#include "cuda/compress_block.h"
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

}  // namespace muster::gpu
