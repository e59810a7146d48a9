// CardMatmul: a linear layer's three products by cuBLASLt, with a plan for each shape that is made
// once.
//
// Sums are fp32; of the ways to split a sum only those that join in a workspace, in one order, are
// allowed, and the plan is the first that cuBLASLt proposes, so that results are the same bits on
// every run on one kind of card. Only for the sources of libmuster_cuda.so. Thread safety: one
// owner.
#pragma once

#include <map>
#include <memory>
#include <tuple>

#include "cuda/card_context.h"
#include "cuda/llama/cublas_lt.h"

namespace muster::gpu {

enum class ProductKind : std::uint8_t { kForward, kBackward, kWeightGradient };

struct ProductShape {
  ProductKind kind = ProductKind::kForward;
  std::size_t rows = 0, out = 0, in = 0;
  bool reads_bf16 = true, writes_bf16 = true;
  auto operator<=>(const ProductShape&) const = default;
};

class CardMatmul {
 public:
  // Errors: kNotFound (cuBLASLt), kTooLarge, kIo.
  [[nodiscard]] static Result<std::unique_ptr<CardMatmul>> make(CardContext& card);
  ~CardMatmul();
  CardMatmul(const CardMatmul&) = delete;
  CardMatmul& operator=(const CardMatmul&) = delete;

  // kForward: c[rows, out] = a[rows, in] · b[out, in]ᵀ; kBackward: c[rows, in] = a[rows, out] ·
  // b[out, in]; kWeightGradient: c[out, in] += a[rows, out]ᵀ · b[rows, in]. Error: kIo.
  [[nodiscard]] Status multiply(const ProductShape& shape, const void* a, const void* b, void* c);

 private:
  struct Plan;
  CardMatmul(CardContext& card, const CublasLt& lt);
  Result<Plan*> plan_of(const ProductShape& shape);

  CardContext& card_;
  CublasLt lt_;
  cublasLtHandle_t handle_ = nullptr;
  Memory<std::uint8_t> workspace_;
  std::map<ProductShape, std::unique_ptr<Plan>> plans_;
};

}  // namespace muster::gpu
