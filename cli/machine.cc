#include "cli/machine.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace muster::cli {
namespace {

template <class Clock>
double seconds_of() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

}  // namespace

std::uint64_t available_memory() {
  std::ifstream info("/proc/meminfo");
  std::string word;
  while (info >> word) {
    std::uint64_t kib = 0;
    if (word == "MemAvailable:" && info >> kib) return kib * 1024;
  }
  return std::uint64_t{1} << 62;
}

unsigned core_count() { return std::max(1u, std::thread::hardware_concurrency()); }

double steady_seconds() { return seconds_of<std::chrono::steady_clock>(); }
double wall_seconds() { return seconds_of<std::chrono::system_clock>(); }

}  // namespace muster::cli
