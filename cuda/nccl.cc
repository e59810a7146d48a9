#include "cuda/nccl.h"

#include <dlfcn.h>

#include <string>

namespace muster::gpu {
namespace {

constexpr const char* kFile = "libnccl.so.2";

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

void* open_library() {
  // Where it lies beside CUDA, which the loader does not always know.
  for (const char* folder : {"", "/usr/local/cuda/lib64/", "/usr/local/cuda/lib/"}) {
    void* library = ::dlopen((std::string(folder) + kFile).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return library;
  }
  return nullptr;
}

}  // namespace

Result<Nccl> load_nccl() {
  void* library = open_library();
  Nccl nccl;
  const bool whole = library != nullptr && find(library, "ncclGetUniqueId", nccl.make_id) &&
                     find(library, "ncclCommInitRank", nccl.join) && find(library, "ncclCommDestroy", nccl.destroy) &&
                     find(library, "ncclCommAbort", nccl.abort) &&
                     find(library, "ncclCommGetAsyncError", nccl.ask_error) &&
                     find(library, "ncclGetErrorString", nccl.words_of) &&
                     find(library, "ncclGroupStart", nccl.begin_group) &&
                     find(library, "ncclGroupEnd", nccl.end_group) &&
                     find(library, "ncclBroadcast", nccl.broadcast) && find(library, "ncclReduce", nccl.reduce) &&
                     find(library, "ncclSend", nccl.send) && find(library, "ncclRecv", nccl.receive) &&
                     find(library, "ncclAllGather", nccl.all_gather);
  if (whole) return nccl;
  return Error{Errc::kNotFound, std::string("training on several cards needs ") + kFile +
                                    "; install libnccl2 or name its folder in LD_LIBRARY_PATH"};
}

}  // namespace muster::gpu
