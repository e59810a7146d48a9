// ProtocolParams: every number that the nodes of a run must share. run_id is their hash.
//
// Local settings (threads, paths, addresses) stand in each node's own configuration instead.
// Thread safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"
#include "compression/payload.h"
#include "state/model_spec.h"

namespace muster::protocol {

// A miner's inner optimizer; AdamW's numbers also hold for what Muon leaves to it.
enum class InnerOptimizer : std::uint8_t { kAdamW = 0, kMuon = 1 };
constexpr std::uint8_t enum_count(InnerOptimizer) { return 2; }

struct TrainingParams {
  InnerOptimizer optimizer = InnerOptimizer::kAdamW;
  std::uint32_t inner_steps = 24;  // H, per round
  std::uint32_t batch = 4;         // sequences per inner step
  float learning_rate = 3e-3f;
  std::uint32_t warmup_steps = 30;
  float cosine_to = 0.1f;  // share of learning_rate left at the end
  float beta1 = 0.9f;
  float beta2 = 0.95f;
  float weight_decay = 0.1f;
  bool decay_vectors = true;   // weight decay on the norm gains too, not on matrices only
  float gradient_clip = 1.0f;  // global norm; 0: none
  template <class Archive>
  void serialize(Archive& archive) {
    archive(optimizer, inner_steps, batch, learning_rate, warmup_steps, cosine_to, beta1, beta2,
            weight_decay, decay_vectors, gradient_clip);
  }
};

// Density for some rounds; the last stage lasts for ever.
struct DensityStage {
  std::uint32_t rounds = 0;
  std::uint32_t keep = 64;  // of a block of 4096
  template <class Archive>
  void serialize(Archive& archive) {
    archive(rounds, keep);
  }
};

struct CompressionParams {
  std::vector<DensityStage> schedule;
  float error_feedback_decay = 1.0f;
  compression::ValueFormat values = compression::ValueFormat::kSign;
  compression::ValueFormat downlink_values = compression::ValueFormat::kSignMagnitude;
  std::uint32_t downlink_factor = 4;  // the aggregate keeps min(4096, factor · keep)
  float downlink_decay = 1.0f;
  float outer_learning_rate = 1.0f;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(schedule, error_feedback_decay, values, downlink_values, downlink_factor,
            downlink_decay, outer_learning_rate);
  }
};

struct VerificationParams {
  std::uint32_t screen_sequences = 96;  // behind the screening gradient
  std::uint32_t own_sequences = 32;     // scored: what the miner had to train on
  std::uint32_t shared_sequences = 64;  // scored: random ones, the same for all miners
  float probe_step = 0.4f;              // × outer_learning_rate × payload
  float cosine_gate = 0.3f;             // × median cosine of the round
  float drop_gate = 0.25f;              // × median loss drop
  float replay_cosine = 0.45f;          // to the last aggregate; above: a replay
  std::uint32_t sequences_min = 0;      // that a commit must have used; 0: its whole slice
  float norm_min = 1e-6f;               // of a payload
  // So many rounds in a row may be sealed without a staked validator's Screen; then the run waits
  // for a validator. 0: it never waits, and payloads that nobody judged count with a newcomer's
  // standing.
  std::uint32_t unscreened_rounds_max = 8;
  // Rounds that evaluations and weights stay sealed: at least what the ledger takes to reveal
  // weights, two epochs.
  std::uint32_t sealed_rounds = 1;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(screen_sequences, own_sequences, shared_sequences, probe_step, cosine_gate, drop_gate,
            replay_cosine, sequences_min, norm_min, unscreened_rounds_max, sealed_rounds);
  }
};

// Hard bounds, and what ends a phase earlier. All in milliseconds.
struct TimingParams {
  std::uint32_t gather_ms = 10'000;  // for Ready before a round opens without the missing
  std::uint32_t train_ms = 600'000;
  std::uint32_t reveal_ms = 30'000;
  std::uint32_t screen_ms = 60'000;
  std::uint32_t grace_min_ms = 500;  // after a quorum has delivered
  std::uint32_t grace_max_ms = 60'000;
  std::uint32_t pause_ms = 1'000;  // after a null round; doubles up to pause_max_ms
  std::uint32_t pause_max_ms = 60'000;
  std::uint16_t quorum_percent = 66;  // of the expected
  std::uint16_t miners_min = 1;       // accepted payloads below this: a null round
  template <class Archive>
  void serialize(Archive& archive) {
    archive(gather_ms, train_ms, reveal_ms, screen_ms, grace_min_ms, grace_max_ms, pause_ms,
            pause_max_ms, quorum_percent, miners_min);
  }
};

struct ProtocolParams {
  std::string name;
  state::ModelSpec model;
  std::uint64_t model_seed = 1;
  Hash data_root;
  std::uint64_t sequences = 0;  // in the training set
  Hash initial_theta_root;
  PublicKey coordinator;
  Hash ledger_genesis;
  std::uint16_t netuid = 1;
  std::uint32_t rounds = 0;  // 0: until stopped
  TrainingParams training;
  CompressionParams compression;
  VerificationParams verification;
  TimingParams timing;

  // Two parts, fresh and memory; the downlink's has one.
  [[nodiscard]] compression::PayloadFormat uplink_format(Round round) const;
  [[nodiscard]] compression::PayloadFormat downlink_format(Round round) const;
  [[nodiscard]] std::uint32_t sequences_min() const {
    return verification.sequences_min == 0 ? slice() : verification.sequences_min;
  }
  // Sequences assigned to one miner per round: H · batch.
  [[nodiscard]] std::uint32_t slice() const { return training.inner_steps * training.batch; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, model.d_model, model.layers, model.heads, model.kv_heads, model.d_ff,
            model.context, model.vocab, model.tied, model.rope_theta, model.norm_epsilon,
            model.rope_scaling, model_seed, data_root, sequences, initial_theta_root, coordinator,
            ledger_genesis, netuid, rounds, training, compression, verification, timing);
  }
};

// Errors: kInvalidArgument, naming the field and its range.
[[nodiscard]] Status validate(const ProtocolParams& params);

[[nodiscard]] Hash run_id_of(const ProtocolParams& params);

}  // namespace muster::protocol
