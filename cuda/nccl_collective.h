// CardCollective: a Collective over the memory of one card of several, by NCCL. Only for the
// sources of libmuster_cuda.so; without NCCL's header no_nccl.cc stands in.
//
// Calls are put in order with the work of a stream and return before they are done, but for
// share(). What goes wrong on the way is told by the card's next wait: then the group is left, and
// the other ranks' calls fail too. Sums are added in NCCL's order: the same on every run of one
// version on one set of cards, not by ascending rank. Thread safety: that of the card.
#pragma once

#include "base/collective.h"
#include "cuda/card_context.h"

namespace muster::gpu {

class CardCollective : public Collective {
 public:
  // The stream that calls go to from now on; the card's own at first.
  virtual void use(cudaStream_t stream) = 0;
  // Recorded work that has calls in it keeps a group from being left: what is to be done first, by
  // whoever has such work. Empty: no more of it.
  virtual void before_leaving(const void* owner, std::function<void()> forget) = 0;
  // Ends what waits for other ranks; every call fails from now on.
  virtual void leave(const std::string& why) = 0;
};

// Errors: those of Cards::make_group_id.
[[nodiscard]] Result<GroupId> make_nccl_id();
// Errors: those of Card::join. The context must outlive it.
[[nodiscard]] Result<std::unique_ptr<CardCollective>> join_nccl(CardContext& card,
                                                                const GroupId& group, unsigned rank,
                                                                unsigned size);

}  // namespace muster::gpu
