#include <dlfcn.h>

#include "cuda/gpu.h"

namespace muster::gpu {
namespace {

std::filesystem::path executable_folder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(".") : self.parent_path();
}

}  // namespace

Result<std::shared_ptr<const Cards>> load_cards(const std::filesystem::path& folder) {
  const auto path = (folder.empty() ? executable_folder() : folder) / "libmuster_cuda.so";
  if (!std::filesystem::exists(path))
    return Error{Errc::kNotFound, path.string() + " is missing; build muster again"};
  // Never closed: the objects it makes must not outlive their code, and CUDA does not unload.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return Error{Errc::kIo, std::string("cannot load the CUDA library: ") + ::dlerror()};
  using Factory = const Cards* (*)(int abi);
  const auto factory = reinterpret_cast<Factory>(::dlsym(library, "muster_make_cards"));
  const Cards* cards = factory == nullptr ? nullptr : factory(kCardsAbi);
  if (cards == nullptr) {
    return Error{Errc::kVersion, path.string() + " belongs to another build of muster than this "
                                                 "program; build both again"};
  }
  return std::shared_ptr<const Cards>(cards);
}

}  // namespace muster::gpu
