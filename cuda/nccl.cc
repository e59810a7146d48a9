#include "cuda/nccl.h"

#include <string>

#include "cuda/nvidia_library.h"

namespace muster::gpu {
namespace {

constexpr const char* kFile = "libnccl.so.2";

}  // namespace

Result<Nccl> load_nccl() {
  void* library = open_nvidia_library(kFile);
  Nccl nccl;
  const bool whole =
      library != nullptr && find(library, "ncclGetUniqueId", nccl.make_id) &&
      find(library, "ncclCommInitRank", nccl.join) &&
      find(library, "ncclCommDestroy", nccl.destroy) &&
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
