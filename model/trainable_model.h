// TrainableModel: a Llama with its gradient and its optimizer, in the memory of a device: what
// every training takes its steps with, and what a validator measures with. CpuModel (trainer/cpu)
// and ModelOn (cuda/llama) implement it.
//
// Parameters, gradient and what the optimizer remembers are fp32, flat, in layout_of(spec)'s order;
// products are of fp32 or bf16 numbers with fp32 sums. Determinism: the same bits on every run
// within one compute class. Thread safety: that of the device, which must outlive the model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/collective.h"
#include "base/result.h"
#include "model/float_array.h"
#include "model/optimizer_config.h"
#include "state/model_spec.h"
#include "state/shape.h"

namespace muster::model {

// What products read. kAuto: bf16 where the device multiplies it natively.
enum class Compute : std::uint8_t { kAuto, kFloat32, kBfloat16 };

// A part of what an optimizer remembers, under the name that a checkpoint keeps it by.
struct NamedArray {
  std::string name;
  FloatArray* values = nullptr;
};

// One of several ranks that train a model together, each on a device and with sequences of its own.
// A rank keeps gradient and moments of its range alone, and a GPU θ too (Rajbhandari et al.,
// "ZeRO", arXiv 1910.02054). All ranks have the whole of what products read or, with
// `shards_parameters`, their range of it and the part of the model that is at work, the next on its
// way.
struct ShardSettings {
  Collective* collective =
      nullptr;  // of the device's memory; outlives the model. Null: there is one rank
  // By rank; neighbors meet, together they are all, on a GPU at multiples of 16 parameters. Under
  // Muon no matrix of a decoder layer is cut. A range may be empty.
  std::vector<Range> owned = {};
  bool shards_parameters = false;
};

struct ModelSettings {
  state::ModelSpec spec = {};
  std::uint32_t sequences =
      1;  // that go through the model together; a GPU takes fewer where they are too many
  bool has_optimizer = true;  // else there are no moments, and step() is not to be called
  Compute compute = Compute::kAuto;
  OptimizerConfig optimizer = {};
  ShardSettings shard = {};
};

// A step whose sequences several ranks share; the default is that of one that is alone. All ranks
// pass equal values, and for one model how many sequences a rank has, and `passes`, follow from
// `sequences`.
struct SharedBatch {
  std::uint64_t sequences = 0;  // of all ranks; the loss is their mean. 0: this rank's
  std::uint32_t passes =
      0;  // of sequences_at_once() that the largest rank's take. 0: as this rank's
};

struct StepSettings {
  double learning_rate = 0;
  std::uint64_t number =
      1;  // of the optimizer's steps, this one counted: the exponent of the bias corrections
  double clip = 0;  // largest norm of the gradient; 0: none
  // A step over both is not applied, nor one that is not finite.
  double loss_limit = 0, norm_limit = 0;
  SharedBatch batch = {};
};
// Of all ranks together, and the same on all of them.
struct StepOutcome {
  double loss = 0;           // mean nats per token, before the step
  double gradient_norm = 0;  // before clipping
  bool applied = false;
};

// Of several ranks all call load(), step(), compute_gradient() and parameters_changed() in the same
// order, and losses() too where parameters are sharded, with as many sequences each. Errors then
// are kClosed too: another rank is gone, and the model is of no use any more.
class TrainableModel {
 public:
  virtual ~TrainableModel() = default;
  [[nodiscard]] virtual const state::ModelSpec& spec() const = 0;
  [[nodiscard]] virtual std::uint32_t sequences_at_once() const = 0;
  // Names device, instruction set and number format, e.g. "avx2/fp32/own": results are bit-equal
  // within one.
  [[nodiscard]] virtual std::string compute_class() const = 0;

  // These are of this rank's range. What is in gradient() counts until the next step or gradient;
  // then it is free for others.
  [[nodiscard]] virtual FloatArray& parameters() = 0;
  [[nodiscard]] virtual FloatArray& gradient() = 0;
  // What the optimizer remembers, as trainer/optim names and orders it; none without one. Zeros at
  // first.
  [[nodiscard]] virtual std::vector<NamedArray> optimizer_arrays() = 0;

  // To be called when others wrote into parameters(). Error: kIo.
  [[nodiscard]] virtual Status parameters_changed() = 0;
  // All of θ, of which each rank takes what is its own; on several ranks before anything else.
  // Error: kIo.
  [[nodiscard]] virtual Status load(std::span<const float> theta) = 0;
  // tokens: any number of sequences of context + 1, at least one, below vocab. The gradient of
  // their mean loss is kept; θ and the moments move unless the step is refused. Error: kIo.
  [[nodiscard]] virtual Result<StepOutcome> step(std::span<const std::int32_t> tokens,
                                                 const StepSettings& settings) = 0;
  // gradient = ∇ mean loss. Returns the loss and the gradient's norm. Error: kIo.
  [[nodiscard]] virtual Result<StepOutcome> compute_gradient(std::span<const std::int32_t> tokens,
                                                             const SharedBatch& batch) = 0;
  [[nodiscard]] Result<StepOutcome> compute_gradient(std::span<const std::int32_t> tokens) {
    return compute_gradient(tokens, SharedBatch{});
  }
  // gradient = ∇ mean loss over positions [first, end) of each sequence. Of one rank only.
  // REQUIRES: first < end ≤ context. Error: kIo.
  [[nodiscard]] virtual Status compute_window_gradient(std::span<const std::int32_t> tokens,
                                                       std::uint32_t first, std::uint32_t end) = 0;
  // The mean loss of each of this rank's sequences, nats per token, from fp32 logits. Error: kIo.
  [[nodiscard]] virtual Status losses(std::span<const std::int32_t> tokens,
                                      std::span<float> losses) = 0;
};

// Of a forward and backward pass at full context, per token: 6 per matrix parameter, and causal
// attention.
[[nodiscard]] inline double flops_per_token(const state::ModelSpec& spec) {
  const state::Shape s(spec);
  return 6.0 * static_cast<double>(s.matrix_parameters()) +
         6.0 * static_cast<double>(s.layers * s.context * s.width);
}

}  // namespace muster::model
