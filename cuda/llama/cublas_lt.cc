#include "cuda/llama/cublas_lt.h"

#include <string>

#include "cuda/nvidia_library.h"

namespace muster::gpu {
namespace {

#define MUSTER_TEXT_OF(x) #x
#define MUSTER_TEXT(x) MUSTER_TEXT_OF(x)
constexpr const char* kFile = "libcublasLt.so." MUSTER_TEXT(CUBLAS_VER_MAJOR);

}  // namespace

Result<CublasLt> load_cublas_lt() {
  void* library = open_nvidia_library(kFile);
  CublasLt lt;
  const bool whole = library != nullptr && find(library, "cublasLtCreate", lt.create) &&
                     find(library, "cublasLtDestroy", lt.destroy) &&
                     find(library, "cublasLtMatmul", lt.matmul) &&
                     find(library, "cublasLtMatmulAlgoGetHeuristic", lt.choose) &&
                     find(library, "cublasLtMatmulDescCreate", lt.create_description) &&
                     find(library, "cublasLtMatmulDescDestroy", lt.destroy_description) &&
                     find(library, "cublasLtMatmulDescSetAttribute", lt.describe) &&
                     find(library, "cublasLtMatrixLayoutCreate", lt.create_layout) &&
                     find(library, "cublasLtMatrixLayoutDestroy", lt.destroy_layout) &&
                     find(library, "cublasLtMatmulPreferenceCreate", lt.create_preference) &&
                     find(library, "cublasLtMatmulPreferenceDestroy", lt.destroy_preference) &&
                     find(library, "cublasLtMatmulPreferenceSetAttribute", lt.prefer);
  if (whole) return lt;
  return Error{Errc::kNotFound,
               std::string("training on a card needs ") + kFile +
                   "; install CUDA's libcublas or name its folder in LD_LIBRARY_PATH"};
}

}  // namespace muster::gpu
