#include "trainer/optim/gradient_norm.h"

#include <algorithm>
#include <vector>

#include "trainer/kernels/kernels.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kChunkElements = 65536;

}  // namespace

double sum_squares(std::span<const float> values, Team& team) {
  const auto& kernels = *available_kernels<float>().front();
  std::vector<double> sums((values.size() + kChunkElements - 1) / kChunkElements);
  team.split(values.size(), kChunkElements, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; begin += kChunkElements)
      sums[begin / kChunkElements] =
          kernels.sum_squares(values.data() + begin, std::min(kChunkElements, end - begin));
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double clip_factor(double norm, double clip) {
  return clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

}  // namespace muster::trainer
