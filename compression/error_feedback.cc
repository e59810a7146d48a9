#include "compression/error_feedback.h"

namespace muster::compression {

void ErrorFeedback::add(std::span<const float> delta) {
  MUSTER_CHECK(delta.size() == residual_.size(), "an update of another size");
  for (std::size_t i = 0; i < residual_.size(); ++i) residual_[i] += delta[i];
}

void ErrorFeedback::subtract(const SparseUpdate& decoded) {
  for (std::size_t i = 0; i < decoded.indices.size(); ++i)
    residual_[decoded.indices[i]] -= decoded.values[i];
}

void ErrorFeedback::decay(float beta) {
  for (float& value : residual_) value *= beta;
}

}  // namespace muster::compression
