#include "verify/screen.h"

#include <algorithm>
#include <numeric>

#include "base/median.h"
#include "protocol/weight.h"

namespace muster::verify {

using compression::SparseUpdate;
using protocol::Verdict;

namespace {

// The first rounds of a run all go the same way, honest payloads too: a replay stands out from its
// round.
constexpr double kReplayOverMedian = 1.5;

constexpr double kFreshNormFactor = 2;

// Which fresh norms lie farther from the round's median by weight than the factor. Where half of
// the weight has lower norms and half has higher ones, what lies between those is the median: two
// miners never reject each other.
std::vector<bool> with_outlying_norms(const std::vector<Candidate>& candidates) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return candidates[i].fresh_norm; });
  const auto weight = [&](std::size_t i) { return candidates[i].weight + 1; };
  std::uint64_t all = 0, up_to = 0;
  for (const std::size_t i : order) all += weight(i);
  double lower = 0, upper = 0;
  for (const std::size_t i : order) {
    if (2 * up_to < all) lower = candidates[i].fresh_norm;
    if (2 * up_to <= all) upper = candidates[i].fresh_norm;
    up_to += weight(i);
  }
  std::vector<bool> outlying;
  for (const Candidate& candidate : candidates)
    outlying.push_back(candidate.fresh_norm < lower / kFreshNormFactor ||
                       candidate.fresh_norm > upper * kFreshNormFactor);
  return outlying;
}

// Whether those that are marked hold more than half of all weight.
bool holds_most(const std::vector<Candidate>& candidates, const std::vector<bool>& marked) {
  protocol::Share share;
  for (std::size_t i = 0; i < candidates.size(); ++i) share.add(candidates[i].weight, marked[i]);
  return share.is_most();
}

}  // namespace

double cosine(const SparseUpdate& a, const SparseUpdate& b) {
  double dot = 0;
  for (std::size_t i = 0, j = 0; i < a.indices.size() && j < b.indices.size();) {
    if (a.indices[i] < b.indices[j]) {
      ++i;
    } else if (b.indices[j] < a.indices[i]) {
      ++j;
    } else {
      dot += static_cast<double>(a.values[i++]) * static_cast<double>(b.values[j++]);
    }
  }
  const double norms = compression::norm(a) * compression::norm(b);
  return norms > 0 ? dot / norms : 0;
}

Screening screen(const protocol::VerificationParams& params,
                 const std::vector<Candidate>& candidates, const SparseUpdate* last_aggregate) {
  std::vector<double> cosines;
  std::vector<std::uint64_t> weights;
  for (const Candidate& candidate : candidates) {
    cosines.push_back(candidate.gradient_cosine);
    weights.push_back(candidate.weight);
  }
  const double threshold = std::max(0.0, static_cast<double>(params.cosine_gate) *
                                             weighted_lower_median<double>(cosines, weights));
  std::vector<double> to_last;
  if (last_aggregate != nullptr)
    for (const Candidate& candidate : candidates)
      to_last.push_back(cosine(*candidate.payload, *last_aggregate));
  const double replay_median =
      to_last.empty() ? 0 : weighted_lower_median<double>(to_last, weights);
  const double replay =
      std::max(static_cast<double>(params.replay_cosine), kReplayOverMedian * replay_median);
  std::vector<bool> replays(candidates.size());
  for (std::size_t i = 0; i < to_last.size(); ++i)
    replays[i] = to_last[i] > replay || to_last[i] < -params.replay_cosine;
  const bool counts = !holds_most(candidates, replays);
  const std::vector<bool> outlying = with_outlying_norms(candidates);
  const bool norms_count = !holds_most(candidates, outlying);

  Screening screening;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    Verdict verdict = Verdict::kAccept;
    if (!counts && replays[i]) screening.alike.push_back(candidate.uid);
    if (counts && replays[i]) {
      verdict = Verdict::kReplay;
    } else if (norms_count && outlying[i]) {
      verdict = Verdict::kFreshNorm;
    } else if (!(candidate.gradient_cosine > threshold)) {
      verdict = Verdict::kLowCosine;
    }
    screening.verdicts[candidate.uid] = verdict;
  }
  return screening;
}

}  // namespace muster::verify
