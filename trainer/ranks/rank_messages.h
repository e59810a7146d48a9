// What a miner asks its ranks for and what they answer, in the codec of wire/codec.h: the content
// of a RankMessage. (A kSegment's content is a segment's bytes as they are.)
//
// Thread safety: values.
#pragma once

#include "protocol/inner_loop.h"
#include "trainer/rounds/state_file.h"
#include "wire/codec.h"

namespace muster::trainer {

struct TrainRequest {
  Round round;
  std::vector<std::uint64_t> sequences;
  std::uint32_t inner_steps = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(round, sequences, inner_steps);
  }
};

struct TrainAnswer {
  std::uint32_t sequences_used = 0, inner_steps = 0, skipped_steps = 0;
  double mean_loss = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sequences_used, inner_steps, skipped_steps, mean_loss);
  }
};

struct SteppedNote {
  std::uint32_t step = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(step);
  }
};

struct EncodeRequest {
  std::uint32_t keep = 0;
  std::uint8_t values = 0;  // compression::ValueFormat
  std::uint32_t memory_keep = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(keep, values, memory_keep);
  }
};

struct SettleRequest {
  std::uint8_t settlement = 0;  // protocol::Settlement
  template <class Archive>
  void serialize(Archive& archive) {
    archive(settlement);
  }
};

// Of one rank: the optimizer's arrays are alike on all and known to who asks.
struct DescribeAnswer {
  std::uint64_t optimizer_steps = 0, entries = 0;
  bool pending = false;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(optimizer_steps, entries, pending);
  }
};

// To write: the entries begin at first_entry. To read it says nothing.
struct StateRequest {
  std::string path;
  std::uint64_t first_entry = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(path, first_entry);
  }
};

struct FailureAnswer {
  std::uint8_t code = 0;  // Errc
  std::string message;
  bool is_sound = true;  // the rank, and so every other, can go on
  template <class Archive>
  void serialize(Archive& archive) {
    archive(code, message, is_sound);
  }
};

}  // namespace muster::trainer
