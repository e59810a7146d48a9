// Generation: continues a text token by token.
//
// The keys and values of earlier tokens are kept. When the context is full it slides: the newer
// half of what fits is read again and the older half forgotten, so a text may go on for ever; a
// prompt longer than the context counts with its last tokens only. Thread safety: one thread at a
// time.
#pragma once

#include <functional>
#include <span>

#include "base/team.h"
#include "state/model_spec.h"
#include "trainer/run/sampler.h"

namespace muster::trainer {

struct GenerationConfig {
  SamplerConfig sampler = {};
  std::uint32_t tokens = 200;  // to add
  std::uint64_t seed = 1;
};

// Calls `emit` with each new token until there are enough or it says false.
// Errors: kInvalidArgument (an empty prompt, or a token outside the vocabulary), kNonFinite (a
// broken model).
[[nodiscard]] Status generate(const state::ModelSpec& model, std::span<const float> theta,
                              std::span<const std::int32_t> prompt, const GenerationConfig& config,
                              Team& team, const std::function<bool(std::int32_t)>& emit);

}  // namespace muster::trainer
