#include "verify/screen.h"

#include <algorithm>
#include <cmath>

#include "base/median.h"
#include "compression/layout.h"
#include "protocol/tally.h"

namespace muster::verify {

using compression::SparseUpdate;
using protocol::Verdict;

namespace {

// Calls visit(i, j) for every index that both have, ascending.
template <class Visit>
void for_each_common(const SparseUpdate& a, const SparseUpdate& b, Visit visit) {
  for (std::size_t i = 0, j = 0; i < a.indices.size() && j < b.indices.size();) {
    if (a.indices[i] < b.indices[j]) {
      ++i;
    } else if (b.indices[j] < a.indices[i]) {
      ++j;
    } else {
      visit(i++, j++);
    }
  }
}

// The first rounds of a run all go the same way, honest payloads too: a replay stands out from its round.
constexpr double kReplayOverMedian = 1.5;

// Whether those that are marked hold more than half of all standing.
bool holds_most(const std::vector<Candidate>& candidates, const std::vector<bool>& marked) {
  protocol::StandingShare share;
  for (std::size_t i = 0; i < candidates.size(); ++i) share.add(candidates[i].standing, marked[i]);
  return share.is_most();
}

}  // namespace

double cosine(const SparseUpdate& a, const SparseUpdate& b) {
  double dot = 0;
  for_each_common(a, b, [&](std::size_t i, std::size_t j) {
    dot += static_cast<double>(a.values[i]) * static_cast<double>(b.values[j]);
  });
  const double norms = compression::norm(a) * compression::norm(b);
  return norms > 0 ? dot / norms : 0;
}

double overlap_beyond_chance(const SparseUpdate& a, const SparseUpdate& b, std::uint32_t keep) {
  const double chance = static_cast<double>(keep) / compression::kBlockElements;
  if (a.indices.empty() || chance >= 1) return 0;
  std::size_t common = 0;
  for_each_common(a, b, [&](std::size_t, std::size_t) { ++common; });
  const double share = static_cast<double>(common) / static_cast<double>(a.indices.size());
  return (share - chance) / (1 - chance);
}

Screening screen(const protocol::VerificationParams& params, std::uint32_t keep,
                 const std::vector<Candidate>& candidates,
                 const std::vector<std::shared_ptr<const SparseUpdate>>& previous,
                 const SparseUpdate* last_aggregate) {
  std::vector<double> cosines;
  for (const Candidate& candidate : candidates) cosines.push_back(candidate.gradient_cosine);
  const double threshold =
      std::max(0.0, static_cast<double>(params.cosine_gate) * lower_median(cosines));
  std::vector<double> to_last;
  if (last_aggregate != nullptr)
    for (const Candidate& candidate : candidates)
      to_last.push_back(cosine(*candidate.payload, *last_aggregate));
  const double replay = std::max(static_cast<double>(params.replay_cosine),
                                 kReplayOverMedian * lower_median(to_last));
  const bool overlap_counts = keep <= params.overlap_keep_max;

  auto copies = [&](const Candidate& candidate) {
    if (!overlap_counts) return false;
    for (const Candidate& other : candidates) {
      if (other.uid != candidate.uid &&
          overlap_beyond_chance(*candidate.payload, *other.payload, keep) > params.overlap)
        return true;
    }
    return std::any_of(previous.begin(), previous.end(), [&](const auto& earlier) {
      return overlap_beyond_chance(*candidate.payload, *earlier, keep) > params.overlap;
    });
  };

  std::vector<bool> replays(candidates.size()), copied(candidates.size()), alike(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    replays[i] = !to_last.empty() && (to_last[i] > replay || to_last[i] < -params.replay_cosine);
    copied[i] = copies(candidates[i]);
    alike[i] = replays[i] || copied[i];
  }
  // Both rules together, so that not even both reject most of the standing.
  const bool counts = !holds_most(candidates, alike);

  Screening screening;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    Verdict verdict = Verdict::kAccept;
    if (!counts && alike[i]) screening.alike.push_back(candidate.uid);
    if (counts && replays[i]) {
      verdict = Verdict::kReplay;
    } else if (counts && copied[i]) {
      verdict = Verdict::kCopy;
    } else if (!(candidate.gradient_cosine > threshold)) {
      verdict = Verdict::kLowCosine;
    }
    screening.verdicts[candidate.uid] = verdict;
  }
  return screening;
}

}  // namespace muster::verify
