// Team: a few threads that stay and do the parts of one loop after another, for work of a few
// microseconds per part. Between parts they spin for a moment and then sleep.
//
// Thread safety: run() from one thread at a time. A team of one has no threads of its own.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace muster {

class Team {
 public:
  // `threads` in all, the caller's among them; at least 1.
  explicit Team(unsigned threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(others_.size()) + 1; }

  // part(i) for each i < size(), each on its own thread, part 0 on the caller's. Returns when all
  // are done. Parts must not throw.
  template <class Part>
  void run(const Part& part) {
    if (others_.empty()) return part(0u);
    start(&part,
          [](const void* work, unsigned index) { (*static_cast<const Part*>(work))(index); });
    part(0u);
    finish();
  }

  // body(begin, end) over [0, count), in as many parts as there are threads, cut at multiples of
  // `grain`.
  template <class Body>
  void split(std::size_t count, std::size_t grain, const Body& body) {
    const std::size_t grains = (count + grain - 1) / grain, n = size();
    run([&](unsigned index) {
      const std::size_t begin = grains * index / n * grain;
      const std::size_t end = std::min(count, grains * (index + 1) / n * grain);
      if (begin < end) body(begin, end);
    });
  }

 private:
  using Call = void (*)(const void* work, unsigned index);
  void start(const void* work, Call call);
  void finish();
  void serve(unsigned index);

  std::vector<std::thread> others_;
  const void* work_ = nullptr;
  Call call_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> turn_{0};  // changes when there is work
  alignas(64) std::atomic<std::uint32_t> busy_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace muster
