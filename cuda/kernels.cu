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

__global__ void __launch_bounds__(kThreads) product_kernel(ProductTask task) {
  __shared__ DeviceTeam::Scratch scratch;
  DeviceTeam team(scratch);
  multiply_chunk(team, task, blockIdx.x);
}

__global__ void __launch_bounds__(kThreads) restore_kernel(CompressTask task) {
  float* delta = task.delta + task.blocks[blockIdx.x].offset;
  const auto restore = [&](const PartTask& part) {
    const std::uint64_t first = std::uint64_t{blockIdx.x} * part.keep;
    for (std::uint32_t i = threadIdx.x; i < part.counts[blockIdx.x]; i += kThreads)
      delta[compression::index_of(part.entries[first + i])] = part.originals[first + i];
  };
  // In the opposite order of taking away: where both have an entry the fresh part's original is e +
  // Δ.
  if (task.memory.keep > 0) {
    restore(task.memory);
    __syncthreads();
  }
  restore(task.fresh);
}

__global__ void __launch_bounds__(kThreads)
    scale_kernel(float* array, std::uint64_t count, float factor) {
  const std::uint64_t stride = std::uint64_t{gridDim.x} * kThreads;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride)
    array[i] *= factor;
}

template <class Work>
__device__ void each_entry(std::uint64_t count, const Work& work) {
  const std::uint64_t stride = std::uint64_t{gridDim.x} * kThreads;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride)
    work(i);
}

__global__ void __launch_bounds__(kThreads)
    displace_kernel(ChangeTask task, const float* values, float rate, float* kept) {
  each_entry(task.count, [&](std::uint64_t i) {
    float& x = task.array[task.indices[i]];
    kept[i] = x;
    x -= rate * values[i];
  });
}

__global__ void __launch_bounds__(kThreads) swap_kernel(ChangeTask task, float* kept) {
  each_entry(task.count, [&](std::uint64_t i) {
    float& x = task.array[task.indices[i]];
    const float before = x;
    x = kept[i];
    kept[i] = before;
  });
}

__global__ void __launch_bounds__(kThreads) gather_kernel(ChangeTask task, float* values) {
  each_entry(task.count, [&](std::uint64_t i) { values[i] = task.array[task.indices[i]]; });
}

__global__ void __launch_bounds__(kThreads)
    subtract_kernel(const float* a, const float* b, float* difference, std::uint64_t count,
                    unsigned* others) {
  bool finite = true;
  each_entry(count, [&](std::uint64_t i) {
    const float x = a[i] - b[i];
    difference[i] = x;
    finite = finite && isfinite(x);
  });
  if (__syncthreads_or(finite ? 0 : 1) != 0 && threadIdx.x == 0) atomicAdd(others, 1u);
}

constexpr unsigned kLoopGrid = 2048;

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

void launch_products(const ProductTask& task, std::uint64_t chunks, cudaStream_t stream) {
  product_kernel<<<grid(chunks), kThreads, 0, stream>>>(task);
}

void launch_restore(const CompressTask& task, std::uint64_t blocks, cudaStream_t stream) {
  restore_kernel<<<grid(blocks), kThreads, 0, stream>>>(task);
}

void launch_scale(float* array, std::uint64_t count, float factor, cudaStream_t stream) {
  scale_kernel<<<kLoopGrid, kThreads, 0, stream>>>(array, count, factor);
}

void launch_displace(const ChangeTask& task, const float* values, float rate, float* kept,
                     cudaStream_t stream) {
  displace_kernel<<<kLoopGrid, kThreads, 0, stream>>>(task, values, rate, kept);
}

void launch_swap(const ChangeTask& task, float* kept, cudaStream_t stream) {
  swap_kernel<<<kLoopGrid, kThreads, 0, stream>>>(task, kept);
}

void launch_gather(const ChangeTask& task, float* values, cudaStream_t stream) {
  gather_kernel<<<kLoopGrid, kThreads, 0, stream>>>(task, values);
}

void launch_subtract(const float* a, const float* b, float* difference, std::uint64_t count,
                     unsigned* others, cudaStream_t stream) {
  subtract_kernel<<<kLoopGrid, kThreads, 0, stream>>>(a, b, difference, count, others);
}

}  // namespace muster::gpu
