// Model: a Llama in a card's memory, with its gradient and its optimizer, AdamW or Muon: what
// trainer/llama and trainer/optim do, without waiting for the host within a step. Needs no CUDA to
// compile.
//
// Products are of bf16 with fp32 sums (or fp32 throughout, slow, to compare with); parameters,
// gradient and what the optimizer remembers are fp32, flat, in layout_of(spec)'s order.
// Determinism: the same bits on every run on one kind of card (docs/determinism.md). Thread safety:
// that of its card, which must outlive it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/collective.h"
#include "base/result.h"
#include "cuda/float_array.h"
#include "state/model_spec.h"

namespace muster::gpu {

struct OptimizerSettings {
  float beta1 = 0.9f, beta2 = 0.95f, epsilon = 1e-8f, weight_decay = 0.1f;
  bool decay_vectors = true;  // weight decay on the norm gains too
  bool has_muon = false;      // on the matrices of the decoder layers; AdamW on the rest
  float momentum = 0.95f;     // Muon's
};

// A part of what an optimizer remembers, under the name that a checkpoint keeps it by.
struct NamedArray {
  std::string name;
  FloatArray* values = nullptr;
};

enum class ModelFormat : std::uint8_t { kBfloat16, kFloat32 };

// One of several ranks that train a model together, each with a card and sequences of its own. A
// rank keeps θ, gradient and moments of its range alone (Rajbhandari et al., "ZeRO", arXiv
// 1910.02054). What products read of θ, and the embedding, are rounded; all ranks have the whole of
// that or, with `shards_parameters`, their range of it and the part of the model that is at work,
// the next on its way.
struct ShardSettings {
  Collective* collective =
      nullptr;  // of this card's memory; outlives the model. Null: there is one rank
  // By rank; neighbours meet, together they are all, at multiples of 16 parameters. Under Muon no
  // matrix of a decoder layer is cut. A range may be empty.
  std::vector<Range> owned = {};
  bool shards_parameters = false;
};

struct ModelSettings {
  state::ModelSpec spec = {};
  std::uint32_t sequences = 1;  // that go through the model together
  bool has_optimizer = true;    // else there are no moments, and step() is not to be called
  ModelFormat format = ModelFormat::kBfloat16;
  OptimizerSettings optimizer = {};
  std::span<const float> cosines = {},
                         sines = {};  // of the rotary angles, [context, head width / 2]; copied
  ShardSettings shard = {};
};

// A step whose sequences several ranks share; the default is that of one that is alone. Alike on
// all ranks, and for one model how many sequences a rank has, and `passes`, follow from
// `sequences`: recorded work is all ranks' or none's.
struct SharedBatch {
  std::uint64_t sequences = 0;  // of all ranks; the loss is their mean. 0: this rank's
  std::uint32_t passes =
      0;  // of `ModelSettings::sequences` that the largest rank's take. 0: as this rank's
};

struct StepSettings {
  float learning_rate = 0;
  std::uint64_t number =
      1;  // of the optimizer's steps, this one counted: the exponent of the bias corrections
  float clip = 0;  // largest norm; 0: none
  double loss_limit = 0,
         norm_limit = 0;  // a step over both is not applied, nor one that is not finite
  SharedBatch batch = {};
};
// Of all ranks together, and the same on all of them.
struct StepOutcome {
  double loss = 0;           // mean nats per token, before the step
  double gradient_norm = 0;  // before clipping
  bool applied = false;
};

// Of several ranks all call step(), compute_gradient() and parameters_changed() in the same order,
// and losses() too where parameters are sharded, with as many sequences each. Errors then are
// kClosed too: another rank is gone, and the model is of no use any more.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const state::ModelSpec& spec() const = 0;
  // These are of this rank's range.
  [[nodiscard]] virtual FloatArray& parameters() = 0;
  [[nodiscard]] virtual const FloatArray& gradient() const = 0;
  // What the optimizer remembers, as trainer/optim names and orders it; none without one. Zeros at
  // first.
  [[nodiscard]] virtual std::vector<NamedArray> optimizer_arrays() = 0;

  // To be called when others wrote into parameters(), and on several ranks before anything else.
  // Error: kIo.
  [[nodiscard]] virtual Status parameters_changed() = 0;
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

// What a card asks of a model beyond validate(). Errors: kInvalidArgument, naming field and mend.
// Needs no card.
[[nodiscard]] Status check_model(const state::ModelSpec& spec);

}  // namespace muster::gpu
