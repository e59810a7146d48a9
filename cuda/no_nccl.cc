// Stands in for nccl.cc and nccl_collective.cc where muster is built without NCCL's header.
#include "cuda/nccl_collective.h"

namespace muster::gpu {
namespace {

Error no_nccl() {
  return {
      Errc::kNotFound,
      "muster was built without NCCL; install libnccl-dev and build again, or train on one card"};
}

}  // namespace

Result<GroupId> make_nccl_id() { return no_nccl(); }

Result<std::unique_ptr<CardCollective>> join_nccl(CardContext&, const GroupId&, unsigned,
                                                  unsigned) {
  return no_nccl();
}

}  // namespace muster::gpu
