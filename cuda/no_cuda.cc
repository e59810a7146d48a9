// Stands in for load_cards.cc where muster is built without nvcc.
#include "cuda/gpu.h"

namespace muster::gpu {

Result<std::shared_ptr<const Cards>> load_cards(const std::filesystem::path&) {
  return Error{
      Errc::kNotFound,
      "muster was built without CUDA; install the CUDA 13 toolkit, put nvcc on the PATH and build "
      "again with -DMUSTER_CUDA=ON"};
}

}  // namespace muster::gpu
