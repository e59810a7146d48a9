// Trainer: what the rest of muster sees of libmuster_trainer.so. No tensor library in sight.
//
// Thread safety: a Trainer makes objects from any thread; each object is used by one thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "protocol/inner_loop.h"
#include "protocol/loss_probe.h"
#include "state/model_spec.h"
#include "trainer/optim/schedule.h"

namespace muster::trainer {

enum class Compute { kAuto, kFloat32, kBfloat16 };  // kAuto: bf16 where the CPU multiplies it natively

struct TrainerConfig {
  state::ModelSpec model;
  std::filesystem::path train_data;     // token files
  std::filesystem::path held_out_data;
  std::uint32_t batch = 4;
  Schedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  bool decay_vectors = true;            // weight decay on the norm gains too, not on matrices only
  double gradient_clip = 1.0;           // global norm; 0: none
  Compute compute = Compute::kAuto;
  int threads = 1;
  float outer_learning_rate = 1.0f;
  float error_feedback_decay = 0.99f;
  std::uint32_t held_out_sequences = 512;
};

struct GenerateOptions {
  std::uint32_t tokens = 200;
  double temperature = 0.8;             // 0: greedy
  std::uint64_t seed = 1;
};

class Trainer {
 public:
  virtual ~Trainer() = default;
  // θ starts as `parameters`. Errors: kNotFound and the like for the data; kInvalidArgument.
  [[nodiscard]] virtual Result<std::unique_ptr<protocol::InnerLoop>> make_inner_loop(
      const TrainerConfig& config, std::span<const float> parameters) const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<protocol::LossProbe>> make_loss_probe(
      const TrainerConfig& config, std::span<const float> parameters) const = 0;

  // Plain AdamW from `parameters` over `sequences`, batch after batch: the measure to compare a network
  // with. Returns the trained parameters; `progress(step, loss)` after each step.
  [[nodiscard]] virtual Result<std::vector<float>> train_alone(
      const TrainerConfig& config, std::span<const float> parameters,
      std::span<const std::uint64_t> sequences,
      const std::function<void(std::uint32_t, double)>& progress) const = 0;

  // Continues `prompt`, one token at a time, on a byte vocabulary.
  [[nodiscard]] virtual Status generate(
      const TrainerConfig& config, std::span<const float> parameters,
      std::span<const std::int64_t> prompt, const GenerateOptions& options,
      const std::function<void(std::int64_t)>& emit) const = 0;

  // Logits [tokens, vocab] of one sequence in fp32.
  [[nodiscard]] virtual Result<std::vector<float>> logits(
      const state::ModelSpec& model, std::span<const float> parameters,
      std::span<const std::int64_t> tokens) const = 0;
};

// Bumped with every change to the interfaces above.
inline constexpr int kTrainerAbi = 2;

// Loads libmuster_trainer.so from beside the executable, or from `folder`.
// Errors: kNotFound (built without LibTorch; the message says how to get it), kVersion.
[[nodiscard]] Result<std::shared_ptr<const Trainer>> load_trainer(
    const std::filesystem::path& folder = {});

}  // namespace muster::trainer
