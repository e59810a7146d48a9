// Llama: forward and backward pass of a Llama-style decoder over flat fp32 parameters, written out,
// on the trainer's own kernels: what an autograd library would compute, in less time and memory.
//
// Weights meet the activations as fp32 or rounded to bf16 (`Compute`); the residual stream, sums
// and gradients are fp32. Conventions of Hugging Face's LlamaForCausalLM (rotate-half RoPE).
// Buffers are made at the first call of a size and kept: afterwards no call allocates.
// Thread safety: one thread at a time; it works on a team. Determinism: on one instruction set the
// same bits on every run, for any number of threads, with or without recomputation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/team.h"
#include "model/trainable_model.h"
#include "trainer/llama/model_parts.h"

namespace muster::trainer {

using model::Compute;

// Whose matrix products: our own; LibTorch's, loaded on demand; LibTorch's where the CPU has AMX,
// which our kernels do not use, and the library is there.
enum class MatmulChoice : std::uint8_t { kAuto, kOwn, kTorch };

struct ComputeOptions {
  Compute compute = Compute::kAuto;
  bool recompute =
      false;  // activation checkpointing: keep only each layer's input, compute the rest again
  MatmulChoice matmul = MatmulChoice::kAuto;
  std::filesystem::path libraries = {};  // where libmuster_torch.so lies; empty: beside the program
};

class Llama {
 public:
  virtual ~Llama() = default;
  // Errors: kInvalidArgument (an invalid spec; bf16 where the CPU or the shape does not allow it),
  // kNotFound (LibTorch's products asked for, but not there). The team must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Llama>> make(const state::ModelSpec& spec,
                                                           const ComputeOptions& options,
                                                           Team& team);

  // tokens: sequences of context + 1, one after the other, each below vocab. gradient += scale · ∇
  // mean loss. Returns the mean loss in nats per token. θ and the gradient in layout_of(spec)'s
  // order.
  double add_gradient(std::span<const float> theta, std::span<const std::int32_t> tokens,
                      float scale, std::span<float> gradient) {
    WholeModel whole(shape(), theta, gradient);
    return add_gradient(whole, tokens, scale);
  }
  // The same, part by part.
  virtual double add_gradient(ModelParts& parts, std::span<const std::int32_t> tokens,
                              float scale) = 0;
  // The same of one sequence's mean loss over positions [first, end) of what it predicts; what
  // comes behind them is not looked at. REQUIRES: first < end ≤ context.
  virtual void add_window_gradient(std::span<const float> theta,
                                   std::span<const std::int32_t> tokens, std::size_t first,
                                   std::size_t end, std::span<float> gradient) = 0;
  // The mean loss of each sequence, nats per token; as many as sequences.
  virtual void losses(std::span<const float> theta, std::span<const std::int32_t> tokens,
                      std::span<float> losses) = 0;
  // Logits [tokens, vocab] of one sequence of at most `context` tokens.
  [[nodiscard]] virtual std::vector<float> logits(std::span<const float> theta,
                                                  std::span<const std::int32_t> tokens) = 0;

  [[nodiscard]] virtual const Shape& shape() const = 0;
  [[nodiscard]] virtual bool stores_bf16() const = 0;
  // Instruction set, number format and matrix products, e.g. "avx512_bf16/bf16/own": results are
  // bit-equal within one.
  [[nodiscard]] virtual std::string path() const = 0;
};

}  // namespace muster::trainer
