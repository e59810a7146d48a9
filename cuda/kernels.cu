#include "cuda/device_team.cuh"
#include "cuda/launch.h"

namespace muster::gpu {
namespace {

// Teams that share a multiprocessor: enough of them that some read while others choose.
constexpr unsigned kTeamsAtOnce = 5;

template <unsigned kBits>
__global__ void __launch_bounds__(kThreads, kTeamsAtOnce) compress_kernel(CompressTask task) {
  __shared__ DeviceTeam::Scratch scratch;
  __shared__ CompressWorkspace shared;
  DeviceTeam team(scratch);
  compress_block<kBits>(team, shared, task, blockIdx.x);
}

__global__ void __launch_bounds__(kThreads) sum_kernel(SumTask task) {
  __shared__ DeviceTeam::Scratch scratch;
  __shared__ SumWorkspace shared;
  DeviceTeam team(scratch);
  sum_block(team, shared, task, blockIdx.x);
}

__global__ void __launch_bounds__(kThreads) step_kernel(StepTask task) {
  __shared__ DeviceTeam::Scratch scratch;
  DeviceTeam team(scratch);
  step_block(team, task, blockIdx.x);
}

__global__ void __launch_bounds__(kThreads) restore_kernel(CompressTask task) {
  const std::uint64_t first = std::uint64_t{blockIdx.x} * task.keep;
  float* delta = task.delta + task.blocks[blockIdx.x].offset;
  for (std::uint32_t i = threadIdx.x; i < task.counts[blockIdx.x]; i += kThreads)
    delta[compression::index_of(task.entries[first + i])] = task.originals[first + i];
}

__global__ void __launch_bounds__(kThreads) scale_kernel(float* array, std::uint64_t count, float factor) {
  const std::uint64_t stride = std::uint64_t{gridDim.x} * kThreads;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride)
    array[i] *= factor;
}

unsigned grid(std::uint64_t blocks) { return static_cast<unsigned>(blocks); }

}  // namespace

void launch_compress(const CompressTask& task, std::uint64_t blocks, unsigned level_bits,
                     cudaStream_t stream) {
  constexpr decltype(&compress_kernel<0>) kKernels[] = {compress_kernel<0>, compress_kernel<1>,
                                                        compress_kernel<2>, compress_kernel<3>};
  kKernels[level_bits]<<<grid(blocks), kThreads, 0, stream>>>(task);
}

void launch_sum(const SumTask& task, std::uint64_t blocks, cudaStream_t stream) {
  sum_kernel<<<grid(blocks), kThreads, 0, stream>>>(task);
}

void launch_step(const StepTask& task, std::uint64_t blocks, cudaStream_t stream) {
  step_kernel<<<grid(blocks), kThreads, 0, stream>>>(task);
}

void launch_restore(const CompressTask& task, std::uint64_t blocks, cudaStream_t stream) {
  restore_kernel<<<grid(blocks), kThreads, 0, stream>>>(task);
}

void launch_scale(float* array, std::uint64_t count, float factor, cudaStream_t stream) {
  constexpr unsigned kGrid = 2048;
  scale_kernel<<<kGrid, kThreads, 0, stream>>>(array, count, factor);
}

}  // namespace muster::gpu
