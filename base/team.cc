#include "base/team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace muster {
namespace {

constexpr int kSpins = 4000;  // about 100 µs: longer than between two parts of a training step

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Until `value` differs from `old`.
void await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(unsigned threads) {
  for (unsigned index = 1; index < threads; ++index)
    others_.emplace_back([this, index] { serve(index); });
}

Team::~Team() {
  stopping_ = true;
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  for (std::thread& other : others_) other.join();
}

void Team::start(const void* work, Call call) {
  work_ = work;
  call_ = call;
  busy_.store(static_cast<std::uint32_t>(others_.size()), std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
}

void Team::finish() {
  for (std::uint32_t busy = busy_.load(std::memory_order_acquire); busy != 0;
       busy = busy_.load(std::memory_order_acquire))
    await_change(busy_, busy);
}

void Team::serve(unsigned index) {
  std::uint32_t turn = 0;
  while (true) {
    await_change(turn_, turn);
    turn = turn_.load(std::memory_order_acquire);
    if (stopping_) return;
    call_(work_, index);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace muster
