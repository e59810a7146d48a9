// LossProbe: what a validator measures with, behind the interface that the validator's role and
// service use.
//
// The implementation owns the validator's θ and an undo log of the last step, so that round r can
// be scored at θᵣ while the network is already at θᵣ₊₁. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compression/payload.h"

namespace muster::protocol {

// Which parameters a measurement is taken at.
enum class ProbePoint : std::uint8_t {
  kCurrent,   // θ after the last apply
  kPrevious,  // θ before it (kCurrent when nothing was applied yet)
};

// Of what a sequence predicts, positions [first, end).
struct Window {
  std::uint64_t sequence = 0;
  std::uint32_t first = 0, end = 0;
  bool operator==(const Window&) const = default;
};

class LossProbe {
 public:
  virtual ~LossProbe() = default;

  // Keeps g = ∇ mean loss over `sequences` at the current θ. Errors: kNotFound (data).
  [[nodiscard]] virtual Status compute_gradient(std::span<const std::uint64_t> sequences) = 0;

  // cos(update, g), serial fp64 in index order. 0 when either is zero. Error: kIo (a GPU failed).
  // REQUIRES: compute_gradient was called.
  [[nodiscard]] virtual Result<double> gradient_cosine(const compression::SparseUpdate& update) = 0;

  // Mean loss (nats per token) of each sequence at `point` − scale · update; no displacement when
  // `update` is null. θ is bit for bit unchanged afterwards.
  [[nodiscard]] virtual Result<std::vector<float>> losses(
      ProbePoint point, const compression::SparseUpdate* update, float scale,
      std::span<const std::uint64_t> sequences) = 0;

  // ⟨update, ∇ mean loss over a window, given all of the sequence before it⟩ at kPrevious, for each
  // window, each update and each tensor group (state/tensor_groups.h), in this order; sums in fp64
  // by ascending index. Errors: kNotFound (data).
  [[nodiscard]] virtual Result<std::vector<double>> products(
      std::span<const Window> windows,
      std::span<const compression::SparseUpdate* const> updates) = 0;

  // Mean loss over the held-out set at the current θ.
  [[nodiscard]] virtual Result<double> held_out_loss() = 0;

  // θ' = step(θ, aggregate), as state/outer_step.h does it; keeps what undoes it.
  [[nodiscard]] virtual Status apply(const compression::SparseUpdate& aggregate) = 0;

  [[nodiscard]] virtual std::span<const float> parameters() const = 0;
  // Replaces θ and forgets the undo log.
  [[nodiscard]] virtual Status set_parameters(std::span<const float> parameters) = 0;

  // Names ISA, library and thread count: scores are bit-equal only within one class.
  [[nodiscard]] virtual std::string platform_class() const = 0;
};

}  // namespace muster::protocol
