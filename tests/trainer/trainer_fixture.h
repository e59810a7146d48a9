// A small model on a small corpus that can be learnt, for tests of the trainer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.h"
#include "tests/temporary_directory.h"
#include "trainer/data/token_file.h"
#include "trainer/llama/decoder.h"
#include "trainer/trainer.h"

namespace muster::trainer {

// The likeliest token, again and again.
inline std::vector<std::int64_t> greedy(const state::ModelSpec& model, std::span<const float> theta,
                                        std::span<const std::int64_t> prompt, std::size_t count) {
  Team team(1);
  Decoder decoder(model, theta, team);
  std::span<const float> logits;
  for (const std::int64_t token : prompt) logits = decoder.step(static_cast<std::int32_t>(token));
  std::vector<std::int64_t> tokens;
  while (tokens.size() < count) {
    tokens.push_back(std::ranges::max_element(logits) - logits.begin());
    if (tokens.size() < count) logits = decoder.step(static_cast<std::int32_t>(tokens.back()));
  }
  return tokens;
}

class TrainerTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  TrainerConfig config_ = make_config();
  std::vector<float> theta_ = make_theta();

  TrainerConfig make_config() {
    TrainerConfig config;
    config.model = {.d_model = 32,
                    .layers = 2,
                    .heads = 2,
                    .kv_heads = 1,
                    .d_ff = 64,
                    .context = 16,
                    .vocab = 256,
                    .tied = true};
    config.train_data = directory_ / "train.bin";
    config.held_out_data = directory_ / "held_out.bin";
    config.schedule = {1e-2, 2, 0, 0.1};
    config.compute.compute = Compute::kFloat32;
    config.held_out_sequences = 16;
    // Words of a little language: learnable, not trivial.
    Prng random(1);
    const char* words[] = {"alpha ", "beta ", "gamma ", "delta "};
    Bytes text;
    while (text.size() < 17 * 200)
      for (const char* c = words[random.below(4)]; *c != 0; ++c)
        text.push_back(static_cast<std::uint8_t>(*c));
    MUSTER_CHECK(write_byte_tokens(config.train_data, text).has_value(), "corpus");
    MUSTER_CHECK(write_byte_tokens(config.held_out_data, ByteSpan(text).first(17 * 20)).has_value(),
                 "corpus");
    return config;
  }
  std::vector<float> make_theta() const {
    std::vector<float> theta(state::layout_of(config_.model).parameters());
    state::initial_parameters(config_.model, 1, theta);
    return theta;
  }
  static protocol::TrainTask task(std::uint64_t round, std::uint32_t steps = 6) {
    protocol::TrainTask task;
    task.round = Round{round};
    task.inner_steps = steps;
    for (std::uint64_t s = 0; s < steps * 4; ++s) task.sequences.push_back((round * 24 + s) % 200);
    return task;
  }
};

}  // namespace muster::trainer
