#include <dlfcn.h>

#include "trainer/trainer.h"

namespace muster::trainer {
namespace {

std::filesystem::path executable_folder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(".") : self.parent_path();
}

}  // namespace

Result<std::shared_ptr<const Trainer>> load_trainer(const std::filesystem::path& folder) {
  const auto path = (folder.empty() ? executable_folder() : folder) / "libmuster_trainer.so";
  if (!std::filesystem::exists(path)) {
    return Error{Errc::kNotFound, path.string() +
                                      " is missing: muster was built without LibTorch; run "
                                      "cmake/fetch_libtorch.sh and build again"};
  }
  // Never closed: the objects it makes must not outlive their code, and LibTorch does not unload.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Error{Errc::kIo, std::string("cannot load the trainer: ") + ::dlerror()};
  using Factory = const Trainer* (*)(int abi);
  const auto factory = reinterpret_cast<Factory>(::dlsym(library, "muster_make_trainer"));
  const Trainer* trainer = factory == nullptr ? nullptr : factory(kTrainerAbi);
  if (trainer == nullptr) {
    return Error{Errc::kVersion, path.string() + " belongs to another build of muster than this "
                                                 "program; build both again"};
  }
  return std::shared_ptr<const Trainer>(trainer);
}

}  // namespace muster::trainer
