// Sampling the next token from logits.
//
// In this order, as in Hugging Face's generate: temperature; the top_k likeliest; of those the
// fewest likeliest that together have at least top_p (nucleus sampling: Holtzman et al., "The
// curious case of neural text degeneration", arXiv 1904.09751). Ties go to the lower token. Thread
// safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/prng.h"
#include "base/result.h"

namespace muster::trainer {

struct SamplerConfig {
  double temperature = 0.8;  // 0: always the likeliest
  double top_p = 1.0;        // 0: the likeliest alone; 1: all
  std::uint32_t top_k = 0;   // 0: all
};

struct Candidate {
  std::uint32_t token = 0;
  double probability = 0;  // the candidates' sum to 1
};

// What may come, never empty: likeliest first where the configuration leaves some out, else by
// token. Errors: kNonFinite (a logit is NaN or +infinity, or all are −infinity).
[[nodiscard]] Result<std::vector<Candidate>> candidates(std::span<const float> logits,
                                                        const SamplerConfig& config);

// One of them, with one draw of `random` where there is more than one.
[[nodiscard]] Result<std::uint32_t> sample(std::span<const float> logits,
                                           const SamplerConfig& config, Prng& random);

}  // namespace muster::trainer
