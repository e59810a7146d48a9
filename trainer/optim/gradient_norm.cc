#include "trainer/optim/gradient_norm.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "base/parallel.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kChunkElements = 65536;
constexpr std::size_t kLanes = 8;

double sum_chunk(const float* values, std::size_t count) {
  std::array<double, kLanes> lanes{};
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      lanes[lane] += value * value;
    }
  }
  for (std::size_t i = whole; i < count; ++i) {
    const auto value = static_cast<double>(values[i]);
    lanes[i - whole] += value * value;
  }
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
         ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

}  // namespace

double sum_squares(std::span<const float> values, unsigned threads) {
  const std::size_t chunks = (values.size() + kChunkElements - 1) / kChunkElements;
  std::vector<double> sums(chunks);
  const Status done = parallel_for(chunks, threads, [&] {
    return [&](std::size_t chunk) -> Status {
      const std::size_t begin = chunk * kChunkElements;
      sums[chunk] = sum_chunk(values.data() + begin, std::min(kChunkElements, values.size() - begin));
      return {};
    };
  });
  MUSTER_CHECK(done.has_value(), "a sum cannot fail");
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double clip_factor(double norm, double clip) {
  return clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

}  // namespace muster::trainer
