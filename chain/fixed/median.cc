#include "chain/fixed/median.h"

#include <cstdint>
#include <numeric>

#include "chain/fixed/vectors.h"

namespace muster::chain {
namespace {

// Buffers that outlive one column, so that a matrix of medians allocates once.
class MedianFinder {
 public:
  explicit MedianFinder(std::size_t count) : current_(count), lower_(count), upper_(count) {}

  I32F32 find(std::span<const I32F32> stakes, std::span<const I32F32> scores, I32F32 minority,
              I32F32 high) {
    current_.resize(stakes.size());
    std::iota(current_.begin(), current_.end(), 0u);
    I32F32 low = I32F32::zero();
    for (std::size_t round = 0; round <= stakes.size(); ++round) {
      if (current_.empty()) return I32F32::zero();
      if (current_.size() == 1) return scores[current_[0]];
      const I32F32 pivot = scores[current_[current_.size() / 2]];
      const auto [below, above] = split(stakes, scores, pivot);
      if (minority < low + below && !lower_.empty()) {
        high = low + below;
        std::swap(current_, lower_);
      } else if (high - above <= minority && !upper_.empty()) {
        low = high - above;
        std::swap(current_, upper_);
      } else {
        return pivot;
      }
    }
    return I32F32::zero();
  }

 private:
  // Stakes of the entries below and above `pivot`, whose indices go to lower_ and upper_.
  std::pair<I32F32, I32F32> split(std::span<const I32F32> stakes, std::span<const I32F32> scores,
                                  I32F32 pivot) {
    lower_.clear();
    upper_.clear();
    I32F32 below;
    I32F32 above;
    for (const std::uint32_t index : current_) {
      if (scores[index] < pivot) {
        below = below + stakes[index];
        lower_.push_back(index);
      } else if (scores[index] > pivot) {
        above = above + stakes[index];
        upper_.push_back(index);
      }
    }
    return {below, above};
  }

  std::vector<std::uint32_t> current_;
  std::vector<std::uint32_t> lower_;
  std::vector<std::uint32_t> upper_;
};

}  // namespace

I32F32 weighted_median(std::span<const I32F32> stakes, std::span<const I32F32> scores,
                       I32F32 minority, I32F32 total) {
  if (stakes.size() != scores.size()) return I32F32::zero();
  return MedianFinder(stakes.size()).find(stakes, scores, minority, total);
}

std::vector<I32F32> column_medians(std::span<const I32F32> stakes, const SparseMatrix& scores,
                                   std::size_t columns, I32F32 majority) {
  std::vector<I32F32> used;
  for (const I32F32 stake : stakes)
    if (stake > I32F32::zero()) used.push_back(stake);
  normalize(used);
  const I32F32 total = wrapping_sum<I32F32>(used);

  std::vector<I32F32> transposed(columns * used.size());
  std::size_t k = 0;
  for (std::size_t i = 0; i < std::min(stakes.size(), scores.rows()); ++i) {
    if (stakes[i] <= I32F32::zero()) continue;
    for (const auto& [column, value] : scores.row(i))
      if (column < columns) transposed[column * used.size() + k] = value;
    ++k;
  }

  std::vector<I32F32> medians(columns);
  MedianFinder finder(used.size());
  for (std::size_t j = 0; j < columns; ++j)
    medians[j] = finder.find(used, std::span(transposed).subspan(j * used.size(), used.size()),
                             total - majority, total);
  return medians;
}

}  // namespace muster::chain
