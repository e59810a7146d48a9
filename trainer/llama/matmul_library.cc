#include "trainer/llama/matmul_library.h"

#include "base/shared_library.h"

namespace muster::trainer {

Result<std::shared_ptr<const MatmulLibrary>> load_matmul_library(
    const std::filesystem::path& folder) {
  return make_from<MatmulLibrary>(
      {.file = "libmuster_torch.so",
       .what = "LibTorch's matrix products",
       .factory = "muster_make_matmul_library",
       .mend = ": muster was built without LibTorch; run cmake/fetch_libtorch.sh and "
               "build again, or take matmul = \"own\""},
      folder, kMatmulAbi);
}

}  // namespace muster::trainer
