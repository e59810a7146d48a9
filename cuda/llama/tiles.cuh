// Tiles of bf16 in shared memory and the matrix instructions that read them (mma.sync, compute
// capability 8.0).
//
// A tile's rows are E numbers; pieces of eight are swizzled so that eight rows' pieces of one
// column lie in different banks. Fragments are as PTX defines them for m16n8k16: g = lane / 4, t =
// lane % 4; an accumulator has rows g and g + 8, columns 2t and 2t + 1. Thread safety: one thread
// block.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "cuda/llama/numbers.h"

namespace muster::gpu {

struct FragmentA {
  std::uint32_t r[4];
};
struct FragmentB {
  std::uint32_t r[2];
};
struct Accumulator {
  float x[4];
};

__device__ __forceinline__ void multiply_add(Accumulator& d, const FragmentA& a, std::uint32_t b0,
                                             std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(d.x[0]), "+f"(d.x[1]), "+f"(d.x[2]), "+f"(d.x[3])
      : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}
__device__ __forceinline__ void load_matrices(std::uint32_t (&r)[4], const Bf16* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(p))
               : "memory");
}
__device__ __forceinline__ void load_matrices_transposed(std::uint32_t (&r)[4], const Bf16* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(p))
               : "memory");
}

// Copies to shared memory that run while the block computes; zeros where `exists` is false.
__device__ __forceinline__ void copy_16(void* to, const void* from, bool exists) {
  const int bytes = exists ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)),
               "l"(from), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void copy_4(void* to, const void* from, bool exists) {
  const int bytes = exists ? 4 : 0;
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(shared_address(to)),
               "l"(from), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void close_copies() {
  asm volatile("cp.async.commit_group;\n" ::: "memory");
}
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group 0;\n" ::: "memory");
}

// Where piece `piece` of row `row` lies.
template <int E>
__device__ __forceinline__ int place_in_tile(int row, int piece) {
  const int turn = E == 32 ? (row >> 1) & 3 : row & 7;
  return row * E + ((piece ^ turn) << 3);
}

// Rows from `from` on, `stride` numbers apart; zeros behind the first `valid` ones.
template <int kRows, int E, int kBlockThreads>
__device__ __forceinline__ void copy_tile(Bf16* tile, const Bf16* from, std::size_t stride,
                                          int valid) {
  constexpr int kPieces = E / 8;
#pragma unroll
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kPieces; i += kBlockThreads) {
    const int row = i / kPieces, piece = i % kPieces;
    const bool exists = row < valid;
    copy_16(tile + place_in_tile<E>(row, piece), from + (exists ? row : 0) * stride + piece * 8,
            exists);
  }
}
// The first `valid` rows of a tile that a block wrote, to memory.
template <int kRows, int E, int kBlockThreads>
__device__ __forceinline__ void write_tile(Bf16* to, std::size_t stride, const Bf16* tile,
                                           int valid) {
  constexpr int kPieces = E / 8;
#pragma unroll
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kPieces; i += kBlockThreads) {
    const int row = i / kPieces, piece = i % kPieces;
    if (row < valid)
      store_words(to + row * stride + piece * 8,
                  load_words<Words4>(tile + place_in_tile<E>(row, piece)));
  }
}

// The left operand: 16 rows from `row` on, 16 columns from 16 · k on.
template <int E>
__device__ __forceinline__ FragmentA left_of(const Bf16* tile, int row, int k) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  FragmentA a;
  load_matrices(a.r, tile + place_in_tile<E>(row + lane % 16, 2 * k + lane / 16));
  return a;
}
// Right operands X of Y · Xᵀ: rows 16 · n … of the tile are columns of the product; columns 16 · k
// … are summed over. r[0], r[1]: of the product's tile 2n; r[2], r[3]: 2n + 1.
template <int E>
__device__ __forceinline__ void right_by_rows(std::uint32_t (&r)[4], const Bf16* tile, int n,
                                              int k) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  load_matrices(r,
                tile + place_in_tile<E>(16 * n + lane % 8 + lane / 16 * 8, 2 * k + lane / 8 % 2));
}
// Right operands X of Y · X: rows 16 · k … are summed over; columns 16 · n … are the product's.
template <int E>
__device__ __forceinline__ void right_by_columns(std::uint32_t (&r)[4], const Bf16* tile, int n,
                                                 int k) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  load_matrices_transposed(r, tile + place_in_tile<E>(16 * k + lane % 16, 2 * n + lane / 16));
}

__device__ __forceinline__ std::uint32_t packed(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&pair);
}
// Two neighbouring tiles of a product as the left operand of the next.
__device__ __forceinline__ FragmentA left_from(const Accumulator& even, const Accumulator& odd) {
  return {{packed(even.x[0], even.x[1]), packed(even.x[2], even.x[3]), packed(odd.x[0], odd.x[1]),
           packed(odd.x[2], odd.x[3])}};
}

// Writes a warp's 16 rows from `row` on, E columns, to a tile.
template <int E>
__device__ __forceinline__ void put_rows(Bf16* tile, int row, const Accumulator (&rows)[E / 8]) {
  const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
  for (int n = 0; n < E / 8; ++n) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      Bf16* at = tile + place_in_tile<E>(row + g + 8 * half, n) + 2 * t;
      *reinterpret_cast<std::uint32_t*>(at) = packed(rows[n].x[2 * half], rows[n].x[2 * half + 1]);
    }
  }
}

// Turns the gradients of rotated rows back; row g is at `position`, row g + 8 at position + 8.
template <int E>
__device__ __forceinline__ void turn_back(Accumulator (&rows)[E / 8], const float* cosines,
                                          const float* sines, int position, int length) {
  const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int at = position + 8 * half;
    if (at >= length) continue;
#pragma unroll
    for (int n = 0; n < E / 16; ++n) {
      const int column = at * (E / 2) + 8 * n + 2 * t;
      const float2 cosine = *reinterpret_cast<const float2*>(cosines + column);
      const float2 sine = *reinterpret_cast<const float2*>(sines + column);
      float &a0 = rows[n].x[2 * half], &a1 = rows[n].x[2 * half + 1];
      float &b0 = rows[n + E / 16].x[2 * half], &b1 = rows[n + E / 16].x[2 * half + 1];
      const float c0 = a0 * cosine.x + b0 * sine.x, c1 = a1 * cosine.y + b1 * sine.y;
      b0 = b0 * cosine.x - a0 * sine.x;
      b1 = b1 * cosine.y - a1 * sine.y;
      a0 = c0;
      a1 = c1;
    }
  }
}

}  // namespace muster::gpu
