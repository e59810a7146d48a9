// Nccl: the functions of NCCL that ranks on several cards need, loaded when one joins a group, so
// that a miner with one card asks for nothing but the driver. Only for the sources of
// libmuster_cuda.so.
//
// Thread safety: any thread; the library is never closed.
#pragma once

#include <nccl.h>

#include "base/result.h"

namespace muster::gpu {

struct Nccl {
  decltype(&ncclGetUniqueId) make_id = nullptr;
  decltype(&ncclCommInitRank) join = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclCommGetAsyncError) ask_error = nullptr;
  decltype(&ncclGetErrorString) words_of = nullptr;
  decltype(&ncclGroupStart) begin_group = nullptr;
  decltype(&ncclGroupEnd) end_group = nullptr;
  decltype(&ncclBroadcast) broadcast = nullptr;
  decltype(&ncclReduce) reduce = nullptr;
  decltype(&ncclSend) send = nullptr;
  decltype(&ncclRecv) receive = nullptr;
  decltype(&ncclAllGather) all_gather = nullptr;
};

// Error: kNotFound, with the mend.
[[nodiscard]] Result<Nccl> load_nccl();

}  // namespace muster::gpu
