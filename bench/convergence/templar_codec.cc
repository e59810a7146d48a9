#include "bench/convergence/templar_codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace muster::bench {
namespace {

constexpr int kBins = 4;
constexpr double kRangeInSigmas = 6;

// The places of the `keep` largest magnitudes of each block of a tensor.
std::vector<std::uint64_t> largest(const compression::Tensor& tensor, std::span<const float> dense,
                                   std::uint32_t keep) {
  std::vector<std::uint64_t> places, block;
  for (std::uint64_t begin = 0; begin < tensor.elements; begin += compression::kBlockElements) {
    const auto count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(compression::kBlockElements, tensor.elements - begin));
    block.resize(count);
    std::iota(block.begin(), block.end(), tensor.offset + begin);
    const auto kept = static_cast<std::ptrdiff_t>(compression::kept_in_block(keep, count));
    std::nth_element(
        block.begin(), block.begin() + kept - 1, block.end(),
        [&](std::uint64_t a, std::uint64_t b) { return std::abs(dense[a]) > std::abs(dense[b]); });
    places.insert(places.end(), block.begin(), block.begin() + kept);
  }
  return places;
}

}  // namespace

double templar_compress(const compression::Layout& layout, std::span<const float> dense,
                        std::uint32_t keep, std::span<float> sent) {
  std::ranges::fill(sent, 0.0f);
  double bytes = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    const auto places = largest(tensor, dense, keep);
    const auto n = static_cast<double>(places.size());
    double mean = 0, squares = 0;
    for (const auto place : places) mean += static_cast<double>(dense[place]) / n;
    for (const auto place : places)
      squares += std::pow(static_cast<double>(dense[place]) - mean, 2);
    double scale = kRangeInSigmas * std::sqrt(squares / std::max(1.0, n - 1)) / kBins;
    if (!(scale > 0)) scale = 1;
    auto bin_of = [&](std::uint64_t place) {
      const double centred = static_cast<double>(dense[place]) - mean;
      return static_cast<std::size_t>(
          std::clamp(std::nearbyint(centred / scale + kBins / 2), 0.0, kBins - 1.0));
    };
    std::array<double, kBins> sums{}, counts{};
    for (const auto place : places) {
      sums[bin_of(place)] += static_cast<double>(dense[place]) - mean;
      counts[bin_of(place)] += 1;
    }
    for (const auto place : places) {
      const std::size_t bin = bin_of(place);
      sent[place] = static_cast<float>(mean + sums[bin] / counts[bin]);
    }
    bytes += n * 2.5;
  }
  return bytes;
}

}  // namespace muster::bench
