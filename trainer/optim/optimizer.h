// Optimizer: turns a gradient into a step of θ, and holds what it remembers between steps.
//
// Thread safety: none; one owner. Determinism: on one instruction set equal inputs give equal bits,
// for any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/team.h"
#include "compression/layout.h"
#include "model/optimizer_config.h"

namespace muster::trainer {

using model::OptimizerConfig;
using model::OptimizerKind;

// A part of an optimizer's memory under the name that a checkpoint keeps it by.
struct NamedState {
  std::string name;
  std::span<float> values;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // One step along gradient_scale · gradient; the scale saves a pass where the gradient is clipped.
  // REQUIRES: the layout's parameters, all finite.
  virtual void step(std::span<float> theta, std::span<const float> gradient, double learning_rate,
                    float gradient_scale) = 0;
  // Steps taken: the exponent of the bias corrections.
  [[nodiscard]] virtual std::uint64_t steps() const = 0;
  virtual void set_steps(std::uint64_t steps) = 0;
  // All that a checkpoint must hold besides steps(): read it to save, write into it to restore.
  [[nodiscard]] virtual std::vector<NamedState> state() = 0;
};

// The team must outlive it.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                                        const compression::Layout& layout,
                                                        Team& team);

struct NamedSize {
  std::string name;
  std::uint64_t floats = 0;
  bool operator==(const NamedSize&) const = default;
};
// What state() of a model's optimizer has. Of a slice of the layout it has the slice's part of each
// array, in order.
[[nodiscard]] std::vector<NamedSize> optimizer_arrays(OptimizerKind kind,
                                                      const compression::Layout& layout);
// All of them together.
[[nodiscard]] std::uint64_t optimizer_floats(OptimizerKind kind, const compression::Layout& layout);

}  // namespace muster::trainer
