// The first cards of this machine, two at most, as ranks of one group: a thread each. With two of
// them sums are the same bits in either order.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "cuda/gpu.h"

namespace muster::gpu {

class CardsAsRanks {
 public:
  // Why there are none, if so.
  [[nodiscard]] static Result<CardsAsRanks> find() {
    CardsAsRanks found;
    MUSTER_TRY(found.cards_, load_cards(std::filesystem::path(MUSTER_BINARY_DIR) / "bin"));
    MUSTER_TRY(const auto all, found.cards_->list());
    found.size_ = static_cast<unsigned>(std::min<std::size_t>(2, all.size()));
    MUSTER_TRY(const GroupId group, found.cards_->make_group_id());
    (void)group;
    return found;
  }
  [[nodiscard]] unsigned size() const { return size_; }

  void run(const std::function<void(Card&, Collective&)>& rank_main) const {
    const GroupId group = cards_->make_group_id().value();
    std::vector<std::thread> threads;
    for (unsigned rank = 0; rank < size_; ++rank)
      threads.emplace_back([&, rank] {
        auto card = cards_->open(static_cast<int>(rank));
        ASSERT_TRUE(card) << card.error().message;
        auto collective = (*card)->join(group, rank, size_);
        ASSERT_TRUE(collective) << collective.error().message;
        rank_main(**card, **collective);
      });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  std::shared_ptr<const Cards> cards_;
  unsigned size_ = 0;
};

}  // namespace muster::gpu
