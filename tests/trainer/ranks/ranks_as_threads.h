// Ranks as threads of one test: each runs the same function with a Collective of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "tests/temporary_directory.h"
#include "trainer/ranks/gloo_collective.h"

namespace muster::trainer {

inline void run_ranks(unsigned size, const std::function<void(Collective&)>& rank_main) {
  const muster::testing::TemporaryDirectory folder;
  std::vector<std::thread> threads;
  for (unsigned rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      auto collective = join_gloo({.folder = folder / "", .timeout_ms = 60'000}, rank, size);
      ASSERT_TRUE(collective) << collective.error().message;
      rank_main(**collective);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace muster::trainer
