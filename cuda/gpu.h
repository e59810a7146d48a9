// Graphics cards: what muster runs on them, behind interfaces that need no CUDA to compile or link.
// The code is libmuster_cuda.so, loaded when load_cards() is called and never otherwise.
//
// Compression, sums and outer steps are equal to the CPU's bit for bit; training is not
// (docs/determinism.md has the tables). A Card and what it made belong to one thread at a time;
// several cards, or several Card objects of one, work side by side. A call returns when its work is
// done. What a card made must not outlive it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/collective.h"
#include "base/result.h"
#include "compression/layout.h"
#include "compression/selection.h"
#include "cuda/blockwise_entries.h"
#include "model/device.h"

namespace muster::gpu {

struct CardInfo {
  int index = 0;
  std::string name;
  int capability_major = 0, capability_minor = 0;
  int multiprocessors = 0;
  std::uint64_t memory_bytes = 0, free_bytes = 0;
};

using model::Compute;
using model::Displacement;
using model::FloatArray;
using model::ModelSettings;
using model::NamedArray;
using model::OptimizerConfig;
using model::OptimizerKind;
using model::Products;
using model::ShardSettings;
using model::SharedBatch;
using model::StepOutcome;
using model::StepSettings;
using model::TrainableModel;

// e and Δ in a card's memory; what is selected of them is coded by the host.
class ErrorFeedback : public model::ErrorFeedback {
 public:
  ErrorFeedback(compression::Layout layout, unsigned threads)
      : layout_(std::move(layout)), threads_(threads) {}

  // Adds up e + Δ in Δ's place, chooses, quantises and subtracts, part by part, in one pass.
  // The result is valid until the next call. Errors: kInvalidArgument (a format without levels),
  // kIo, kTooLarge (memory). A block that is not finite is in the selection, and payload_of() names
  // its place; then e is as it was and nothing is to be settled.
  [[nodiscard]] virtual Result<compression::Selection> select(
      const compression::PayloadFormat& format) = 0;
  [[nodiscard]] Result<compression::Payload> compress(
      const compression::PayloadFormat& format) final {
    MUSTER_TRY(const compression::Selection selection, select(format));
    return compression::payload_of(layout_, selection, threads_);
  }

 protected:
  [[nodiscard]] const compression::Layout& layout() const { return layout_; }

 private:
  compression::Layout layout_;
  unsigned threads_;
};

// Names a group of ranks that are to work together, each on a card of its own; one of them makes
// it.
struct GroupId {
  std::array<std::byte, 128> bytes = {};
};

class Card : public model::Device {
 public:
  [[nodiscard]] virtual CardInfo info() const = 0;

  // sum += Σ weight · payload, in the payloads' order per element. Errors: kTooLarge, kIo.
  // REQUIRES: all of this layout, a weight for each payload.
  [[nodiscard]] virtual Status add(const compression::Layout& layout, FloatArray& sum,
                                   std::span<const BlockwiseEntries> payloads,
                                   std::span<const float> weights) = 0;
  // θ −= learning_rate · aggregate. Errors: kTooLarge, kIo. REQUIRES: both of this layout.
  [[nodiscard]] virtual Status outer_step(const compression::Layout& layout, FloatArray& theta,
                                          const BlockwiseEntries& aggregate,
                                          float learning_rate) = 0;

  // Returns when all ranks of the group are there. The collective's arrays are of this card's
  // memory; its calls are in order with the card's other work and return before they are done, but
  // for share(), whose numbers are the host's. Sums are in one order on one set of cards, not by
  // ascending rank. What fails on the way is told by the call that waits next. Errors: kNotFound
  // (NCCL, with the mend), kClosed (not all came). REQUIRES: rank below size; the card is in no
  // other group.
  [[nodiscard]] virtual Result<std::unique_ptr<Collective>> join(const GroupId& group,
                                                                 unsigned rank, unsigned size) = 0;

  // A pass that only measures keeps no activations: it fills the card.
  [[nodiscard]] std::uint32_t sequences_measured_at_once(
      const state::ModelSpec& spec) const override {
    return std::max(1u, 32768 / spec.context);
  }

  // How long the last call's kernel, or copy, took by the card's own clock, transfers not counted.
  [[nodiscard]] virtual double kernel_seconds() const = 0;
};

// What is there to open. A driver's version is that of the CUDA it supports: 1000 · major + 10 ·
// minor.
class Cards {
 public:
  virtual ~Cards() = default;
  [[nodiscard]] virtual int driver_version() const = 0;   // 0: no driver
  [[nodiscard]] virtual int runtime_version() const = 0;  // that the library was built with
  // Errors: kNotFound (no card), kVersion (the driver is too old); the message has the mend.
  [[nodiscard]] virtual Result<std::vector<CardInfo>> list() const = 0;
  // Errors: those of list(), kNotFound (no such card), kVersion (the card is older than what muster
  // is built for).
  [[nodiscard]] virtual Result<std::unique_ptr<Card>> open(int index) const = 0;
  // Made by one rank and handed to the others; its process stays until all have joined. Needs no
  // card. Errors: kNotFound (NCCL, with the mend), kIo.
  [[nodiscard]] virtual Result<GroupId> make_group_id() const = 0;
};

// What a card asks of a model beyond validate(). Errors: kInvalidArgument, naming field and remedy.
// Needs no card.
[[nodiscard]] Status check_model(const state::ModelSpec& spec);

// Bumped with every change to the interfaces above and in model/.
inline constexpr int kCardsAbi = 6;

// Loads libmuster_cuda.so from beside the executable, or from `folder`. Loads no CUDA library
// otherwise. Errors: kNotFound (built without CUDA; the message says how to get it), kVersion.
[[nodiscard]] Result<std::shared_ptr<const Cards>> load_cards(
    const std::filesystem::path& folder = {});

}  // namespace muster::gpu
