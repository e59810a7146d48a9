// Error feedback: what compression left out of earlier updates, added to the next one.
//
// After a round: e ← β(e + Δ − decoded) when the payload was delivered, e ← β(e + Δ) when it was
// not through no fault of its content, e ← βe for a round without an update.
// (Seide et al., "1-bit stochastic gradient descent", Interspeech 2014.)
// Thread safety: none; one owner.
#pragma once

#include <span>
#include <vector>

#include "compression/payload.h"

namespace muster::compression {

class ErrorFeedback {
 public:
  explicit ErrorFeedback(std::uint64_t parameters) : residual_(parameters, 0.0f) {}
  explicit ErrorFeedback(std::vector<float> residual) : residual_(std::move(residual)) {}

  // residual += delta. REQUIRES: equal sizes.
  void add(std::span<const float> delta);
  // residual −= decoded.
  void subtract(const SparseUpdate& decoded);
  // residual *= beta.
  void decay(float beta);

  [[nodiscard]] std::span<const float> residual() const { return residual_; }

 private:
  std::vector<float> residual_;
};

}  // namespace muster::compression
