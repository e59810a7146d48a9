// parallel_for: independent jobs 0…count−1 on a few threads, for loops whose result does not depend
// on which thread did what.
//
// Thread safety: the call returns when all jobs are done.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "base/result.h"

namespace muster {

// Each thread makes a worker, `make()`, and calls worker(job) for one job after the other; so a
// worker may hold buffers. After an error no further jobs start; the first error by job is
// returned.
template <class MakeWorker>
[[nodiscard]] Status parallel_for(std::size_t count, unsigned threads, MakeWorker make) {
  std::vector<Status> results(count);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  auto run = [&] {
    auto worker = make();
    for (std::size_t job = next++; job < count && !failed; job = next++) {
      results[job] = worker(job);
      if (!results[job]) failed = true;
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  for (Status& result : results)
    if (!result) return std::move(result);
  return {};
}

}  // namespace muster
