#include "base/shared_library.h"

#include <dlfcn.h>

namespace muster {
namespace {

std::filesystem::path executable_folder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(".") : self.parent_path();
}

}  // namespace

Result<LoadedFactory> load_factory(const SharedLibrary& library,
                                   const std::filesystem::path& folder) {
  const auto path = (folder.empty() ? executable_folder() : folder) / library.file;
  if (!std::filesystem::exists(path))
    return Error{Errc::kNotFound, path.string() + " is missing" + library.mend};
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return Error{Errc::kIo, "cannot load " + library.what + ": " + ::dlerror()};
  return LoadedFactory{path, ::dlsym(handle, library.factory.c_str())};
}

}  // namespace muster
