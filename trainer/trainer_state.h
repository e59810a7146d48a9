// TrainerState: what a miner needs to go on training after a restart, as a file.
//
// File: "MUSTERTR", u32 version, layout hash, u64 tag, u64 optimizer steps, θ, the optimizer's arrays (u32 count;
// u32 length and name, u64 count, floats each), error feedback, u8 pending; when pending: e + Δ − decoded, u64 entries, their indices, e + Δ there;
// SHA-256 of all before it. Thread safety: pure but for the file.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compression/error_feedback.h"
#include "trainer/optim/optimizer.h"

namespace muster::trainer {

// Borrowed, to write. Arrays have layout.parameters() numbers.
struct TrainerStateView {
  std::uint64_t tag = 0;  // the caller's
  std::uint64_t steps = 0;
  std::span<const float> theta, residual;
  std::vector<NamedState> optimizer;
  std::span<const float> delta;  // while a payload is pending
  compression::ErrorFeedback::State feedback;
};

struct TrainerState {
  std::uint64_t tag = 0;
  std::uint64_t steps = 0;
  std::vector<float> theta, residual;
  std::vector<std::pair<std::string, std::vector<float>>> optimizer;
  std::vector<float> delta;  // empty unless a payload is pending
  compression::ErrorFeedback::State feedback;
};

// Replaces the file as a whole.
[[nodiscard]] Status write_trainer_state(const std::filesystem::path& path,
                                         const compression::Layout& layout,
                                         const TrainerStateView& state);
// Errors: kNotFound, kVersion, kBadHash (damaged), kInvalidArgument (another model), kMalformed, kTruncated;
// all name the file.
[[nodiscard]] Result<TrainerState> read_trainer_state(const std::filesystem::path& path,
                                                      const compression::Layout& layout);

}  // namespace muster::trainer
