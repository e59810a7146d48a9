// ModelParts: a model's parameters and gradient, handed to a forward and backward pass part by
// part, so that a part may lie elsewhere until it is needed, and its gradient may leave as soon as
// it is complete. Parts: state/model_parts.h.
//
// Thread safety: one thread at a time.
#pragma once

#include <span>

#include "base/check.h"
#include "state/model_parts.h"
#include "trainer/llama/shape.h"

namespace muster::trainer {

class ModelParts {
 public:
  virtual ~ModelParts() = default;
  // Valid until release(part).
  [[nodiscard]] virtual std::span<const float> parameters(std::size_t part) = 0;
  // That parameters(part) will be asked for next: a hint.
  virtual void expect(std::size_t part) = 0;
  virtual void release(std::size_t part) = 0;

  // What the pass adds to, of a part that no other pass of this step is at. Valid until
  // gradient_done(part), after which the same pass may begin the part once more (a tied head).
  [[nodiscard]] virtual std::span<float> gradient(std::size_t part) = 0;
  virtual void gradient_done(std::size_t part) = 0;
};

// All of it in two flat arrays in layout_of(spec)'s order; `gradient` may be empty when none is
// asked for.
class WholeModel final : public ModelParts {
 public:
  WholeModel(const Shape& shape, std::span<const float> theta, std::span<float> gradient)
      : shape_(shape), theta_(theta), gradient_(gradient) {
    MUSTER_CHECK(
        theta.size() == shape.parameters && (gradient.empty() || gradient.size() == theta.size()),
        "numbers of another model");
  }
  std::span<const float> parameters(std::size_t part) override {
    return part_of(theta_, part_range(shape_, part));
  }
  void expect(std::size_t) override {}
  void release(std::size_t) override {}
  std::span<float> gradient(std::size_t part) override {
    return part_of(gradient_, part_range(shape_, part));
  }
  void gradient_done(std::size_t) override {}

 private:
  const Shape& shape_;
  std::span<const float> theta_;
  std::span<float> gradient_;
};

}  // namespace muster::trainer
