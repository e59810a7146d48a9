#include "base/shared_library.h"
#include "cuda/gpu.h"

namespace muster::gpu {

Result<std::shared_ptr<const Cards>> load_cards(const std::filesystem::path& folder) {
  return make_from<Cards>({.file = "libmuster_cuda.so",
                           .what = "the CUDA library",
                           .factory = "muster_make_cards",
                           .mend = "; build muster again"},
                          folder, kCardsAbi);
}

}  // namespace muster::gpu
