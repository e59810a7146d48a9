// TrainerState: what a miner needs to go on training after a restart, as a file.
//
// File: "MUSTERTR", u32 version, layout hash, u64 tag, u64 optimiser steps, θ, AdamW's first and second
// moments, error feedback, u8 pending; when pending: e + Δ − decoded, u64 entries, their indices, e + Δ there;
// SHA-256 of all before it. Thread safety: pure but for the file.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "compression/error_feedback.h"

namespace muster::trainer {

// Borrowed, to write. Arrays have layout.parameters() numbers.
struct TrainerStateView {
  std::uint64_t tag = 0;  // the caller's
  std::uint64_t steps = 0;
  std::span<const float> theta, first_moment, second_moment, residual;
  std::span<const float> delta;  // while a payload is pending
  compression::ErrorFeedback::State feedback;
};

struct TrainerState {
  std::uint64_t tag = 0;
  std::uint64_t steps = 0;
  std::vector<float> theta, first_moment, second_moment, residual;
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
