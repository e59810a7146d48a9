#include "trainer/run/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace muster::trainer {
namespace {

bool is_likelier(const Candidate& a, const Candidate& b) {
  return a.probability != b.probability ? a.probability > b.probability : a.token < b.token;
}

void normalize(std::vector<Candidate>& all) {
  double total = 0;
  for (const Candidate& candidate : all) total += candidate.probability;
  for (Candidate& candidate : all) candidate.probability /= total;
}

void keep_top_k(std::vector<Candidate>& all, std::uint32_t top_k) {
  if (top_k == 0 || top_k >= all.size()) return;
  std::nth_element(all.begin(), all.begin() + top_k, all.end(), is_likelier);
  all.resize(top_k);
  std::ranges::sort(all, is_likelier);
  normalize(all);
}

void keep_top_p(std::vector<Candidate>& all, double top_p) {
  if (top_p >= 1) return;
  std::ranges::sort(all, is_likelier);
  double sum = 0;
  std::size_t kept = 0;
  while (kept < all.size() && (kept == 0 || sum < top_p)) sum += all[kept++].probability;
  all.resize(kept);
  normalize(all);
}

}  // namespace

Result<std::vector<Candidate>> candidates(std::span<const float> logits,
                                          const SamplerConfig& config) {
  float largest = -std::numeric_limits<float>::infinity();
  std::uint32_t likeliest = 0;
  for (std::uint32_t token = 0; token < logits.size(); ++token) {
    if (std::isnan(logits[token]))
      return Error{Errc::kNonFinite,
                   "the model gives no number for token " + std::to_string(token)};
    if (logits[token] > largest) {
      largest = logits[token];
      likeliest = token;
    }
  }
  if (!std::isfinite(largest))
    return Error{Errc::kNonFinite, "the model gives infinities for the next token"};
  if (config.temperature <= 0) return std::vector<Candidate>{{likeliest, 1.0}};
  std::vector<Candidate> all(logits.size());
  for (std::uint32_t token = 0; token < logits.size(); ++token) {
    const double distance = static_cast<double>(logits[token]) - static_cast<double>(largest);
    all[token] = {token, std::exp(distance / config.temperature)};
  }
  normalize(all);
  keep_top_k(all, config.top_k);
  keep_top_p(all, config.top_p);
  return all;
}

Result<std::uint32_t> sample(std::span<const float> logits, const SamplerConfig& config,
                             Prng& random) {
  MUSTER_TRY(const auto all, candidates(logits, config));
  if (all.size() == 1) return all.front().token;
  double left = random.uniform();
  for (const Candidate& candidate : all) {
    left -= candidate.probability;
    if (left < 0) return candidate.token;
  }
  // Rounding left a crumb: the last that can come at all.
  const auto last = std::ranges::find_if(all.rbegin(), all.rend(),
                                         [](const Candidate& c) { return c.probability > 0; });
  return last->token;
}

}  // namespace muster::trainer
