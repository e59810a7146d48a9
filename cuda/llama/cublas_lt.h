// CublasLt: the functions of cuBLASLt that matrix products need, loaded when a model is made, so
// that compression on a card asks for nothing but the driver. Only for the sources of
// libmuster_cuda.so.
//
// Thread safety: any thread; the library is never closed.
#pragma once

#include <cublasLt.h>

#include <memory>

#include "base/result.h"

namespace muster::gpu {

struct CublasLt {
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) choose = nullptr;
  decltype(&cublasLtMatmulDescCreate) create_description = nullptr;
  decltype(&cublasLtMatmulDescDestroy) destroy_description = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) describe = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) create_layout = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) prefer = nullptr;
};

// Error: kNotFound, with the mend.
[[nodiscard]] Result<CublasLt> load_cublas_lt();

}  // namespace muster::gpu
