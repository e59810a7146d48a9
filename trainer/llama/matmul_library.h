// MatmulLibrary: matrix products of LibTorch (at::mm) instead of our own, in a library of its own
// that is loaded on demand: the reference to compare with, and the way to hardware that our kernels
// do not know (AMX).
//
// Thread safety: makes objects from any thread.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "trainer/llama/matmul.h"

namespace muster::trainer {

class MatmulLibrary {
 public:
  virtual ~MatmulLibrary() = default;
  [[nodiscard]] virtual std::unique_ptr<Matmul<float>> make_float(unsigned threads) const = 0;
  // Sums in fp32, but rounds every product to bf16 on the way out.
  [[nodiscard]] virtual std::unique_ptr<Matmul<Bf16>> make_bf16(unsigned threads) const = 0;
};

// Bumped with every change to the interfaces of this file and of matmul.h.
inline constexpr int kMatmulAbi = 1;

// Loads libmuster_torch.so from beside the executable, or from `folder`.
// Errors: kNotFound (built without LibTorch; the message says how to get it), kVersion.
[[nodiscard]] Result<std::shared_ptr<const MatmulLibrary>> load_matmul_library(
    const std::filesystem::path& folder = {});

}  // namespace muster::trainer
