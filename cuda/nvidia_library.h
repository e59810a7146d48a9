// NVIDIA's libraries that are loaded when they are needed, and the functions in them. Only for the
// sources of libmuster_cuda.so. Thread safety: any thread; a library is never closed.
#pragma once

#include <dlfcn.h>

#include <string>

namespace muster::gpu {

// Null where it is neither where the loader looks nor where CUDA's own installer puts it.
[[nodiscard]] inline void* open_nvidia_library(const char* file) {
  for (const char* folder : {"", "/usr/local/cuda/lib64/", "/usr/local/cuda/lib/"}) {
    void* library = ::dlopen((std::string(folder) + file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return library;
  }
  return nullptr;
}

// Whether the library has it.
template <class Function>
[[nodiscard]] bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace muster::gpu
