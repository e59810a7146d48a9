// Graphics cards: what muster runs on them, behind interfaces that need no CUDA to compile or link.
// The code is libmuster_cuda.so, loaded when load_cards() is called and never otherwise.
//
// Compression, sums and outer steps are equal to the CPU's bit for bit; training is not
// (docs/determinism.md has the tables). A Card and what it made belong to one thread at a time;
// several cards, or several Card objects of one, work side by side. A call returns when its work is
// done. What a card made must not outlive it.
#pragma once

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
#include "compression/error_feedback.h"
#include "compression/layout.h"
#include "compression/payload_format.h"
#include "compression/selection.h"
#include "cuda/blockwise_entries.h"
#include "cuda/float_array.h"
#include "cuda/model.h"
#include "state/tensor_groups.h"

namespace muster::gpu {

struct CardInfo {
  int index = 0;
  std::string name;
  int capability_major = 0, capability_minor = 0;
  int multiprocessors = 0;
  std::uint64_t memory_bytes = 0, free_bytes = 0;
};

// compression::ErrorFeedback with e and Δ in a card's memory; payload_of() makes the bytes of a
// selection.
class ErrorFeedback {
 public:
  virtual ~ErrorFeedback() = default;
  // Where Δ is to be written before select(), and e. They change places when a payload is settled.
  [[nodiscard]] virtual FloatArray& delta() = 0;
  // What is owed is multiplied in. Error: kIo.
  [[nodiscard]] virtual Result<FloatArray*> residual() = 0;
  // Adds up e + Δ in Δ's place, chooses, quantises and subtracts, part by part, in one pass.
  // The result is valid until the next call. Errors: kInvalidArgument (a format without levels),
  // kIo, kTooLarge (memory). A block that is not finite is in the selection, and payload_of() names
  // its place; then e is as it was and nothing is to be settled.
  [[nodiscard]] virtual Result<compression::Selection> select(
      const compression::PayloadFormat& format) = 0;
  // REQUIRES: select() was called since the last settling, and all was finite. Error: kIo.
  [[nodiscard]] virtual Status settle_delivered(float beta) = 0;
  [[nodiscard]] virtual Status settle_kept(float beta) = 0;
  // No payload was made, or it does not count. Error: kIo.
  [[nodiscard]] virtual Status settle_missed(float beta) = 0;

  [[nodiscard]] virtual bool is_pending() const = 0;
  // What compression::ErrorFeedback::state() gives, of the same layout as this. Error: kIo.
  [[nodiscard]] virtual Result<compression::ErrorFeedback::State> state() const = 0;
  // With residual() and delta() written again. Errors: kTooLarge, kIo. REQUIRES: indices within
  // them.
  [[nodiscard]] virtual Status restore(const compression::ErrorFeedback::State& state) = 0;
};

// A sparse change of an array, and what undoes it.
class Displacement {
 public:
  virtual ~Displacement() = default;
  // Exchanges the array's numbers with those kept: undoes the change, and a second time does it
  // again. Error: kIo.
  [[nodiscard]] virtual Status swap() = 0;
};

// Sparse updates in a card's memory, to be multiplied with arrays again and again.
class Products {
 public:
  virtual ~Products() = default;
  // Σ value · array[index] in fp64 of each update and each tensor group, in one order. Error: kIo.
  // REQUIRES: the array has all of the updates' indices.
  [[nodiscard]] virtual Result<std::vector<double>> multiply(const FloatArray& array) = 0;
};

// Names a group of ranks that are to work together, each on a card of its own; one of them makes
// it.
struct GroupId {
  std::array<std::byte, 128> bytes = {};
};

class Card {
 public:
  virtual ~Card() = default;
  [[nodiscard]] virtual CardInfo info() const = 0;
  // Zeros. Errors: kTooLarge, with the mend.
  [[nodiscard]] virtual Result<std::unique_ptr<FloatArray>> make_array(std::uint64_t count) = 0;
  // e = Δ = 0. Errors: kTooLarge.
  [[nodiscard]] virtual Result<std::unique_ptr<ErrorFeedback>> make_error_feedback(
      const compression::Layout& layout) = 0;

  // to = from. REQUIRES: equal sizes. Error: kIo.
  [[nodiscard]] virtual Status copy(const FloatArray& from, FloatArray& to) = 0;
  // sum += Σ weight · payload, in the payloads' order per element. Errors: kTooLarge, kIo.
  // REQUIRES: all of this layout, a weight for each payload.
  [[nodiscard]] virtual Status add(const compression::Layout& layout, FloatArray& sum,
                                   std::span<const BlockwiseEntries> payloads,
                                   std::span<const float> weights) = 0;
  // θ −= learning_rate · aggregate. Errors: kTooLarge, kIo. REQUIRES: both of this layout.
  [[nodiscard]] virtual Status outer_step(const compression::Layout& layout, FloatArray& theta,
                                          const BlockwiseEntries& aggregate,
                                          float learning_rate) = 0;

  // array[index] −= rate · value for each entry, as state::outer_step does it; the old numbers are
  // kept. The array must outlive it. Errors: kTooLarge, kIo. REQUIRES: indices below the array's
  // size, no two alike.
  [[nodiscard]] virtual Result<std::unique_ptr<Displacement>> displace(
      FloatArray& array, const compression::SparseUpdate& update, float rate) = 0;
  // Errors: kTooLarge, kIo.
  [[nodiscard]] virtual Result<std::unique_ptr<Products>> make_products(
      std::span<const compression::SparseUpdate* const> updates,
      const state::TensorGroups& groups) = 0;
  // values[i] = array[indices[i]]. Errors: kTooLarge, kIo. REQUIRES: indices below the array's
  // size.
  [[nodiscard]] virtual Status gather(const FloatArray& array,
                                      std::span<const std::uint64_t> indices,
                                      std::span<float> values) = 0;
  // difference = a − b; whether all of it is finite. Error: kIo. REQUIRES: equal sizes.
  [[nodiscard]] virtual Result<bool> subtract(const FloatArray& a, const FloatArray& b,
                                              FloatArray& difference) = 0;

  // Returns when all ranks of the group are there. The collective's arrays are of this card's
  // memory; its calls are in order with the card's other work and return before they are done, but
  // for share(), whose numbers are the host's. Sums are in one order on one set of cards, not by
  // ascending rank. What fails on the way is told by the call that waits next. Errors: kNotFound
  // (NCCL, with the mend), kClosed (not all came). REQUIRES: rank below size; the card is in no
  // other group.
  [[nodiscard]] virtual Result<std::unique_ptr<Collective>> join(const GroupId& group,
                                                                 unsigned rank, unsigned size) = 0;
  // θ, gradient and moments are 0. Calls nothing of a collective. Errors: kInvalidArgument (sizes
  // that a card does not take, with the mend), kTooLarge, kNotFound (cuBLASLt).
  [[nodiscard]] virtual Result<std::unique_ptr<Model>> make_model(
      const ModelSettings& settings) = 0;

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

// Bumped with every change to the interfaces above and in model.h.
inline constexpr int kCardsAbi = 5;

// Loads libmuster_cuda.so from beside the executable, or from `folder`. Loads no CUDA library
// otherwise. Errors: kNotFound (built without CUDA; the message says how to get it), kVersion.
[[nodiscard]] Result<std::shared_ptr<const Cards>> load_cards(
    const std::filesystem::path& folder = {});

}  // namespace muster::gpu
