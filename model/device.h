// Device: where models are trained and measured, and what surrounds a model there: arrays, error
// feedback, sparse changes, differences. CpuDevice (trainer/cpu) and the GPUs of cuda/gpu.h
// implement it.
//
// Compression, sums and sparse changes are bit-equal on every device; training is not
// (docs/determinism.md). A device and what it made belong to one thread at a time; what it made
// must not outlive it. A call returns when its work is done.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compression/error_feedback.h"
#include "model/float_array.h"
#include "model/trainable_model.h"
#include "state/tensor_groups.h"

namespace muster::model {

// compression::ErrorFeedback with e and Δ in a device's memory.
class ErrorFeedback {
 public:
  virtual ~ErrorFeedback() = default;
  // Where Δ is to be written before compress(), and e. They change places when a payload is
  // settled.
  [[nodiscard]] virtual FloatArray& delta() = 0;
  // What is owed is multiplied in. Error: kIo.
  [[nodiscard]] virtual Result<FloatArray*> residual() = 0;
  // The payload of Δ and e; what it leaves behind takes Δ's place. Errors: those of
  // compression::compress, with e as it was; kIo.
  [[nodiscard]] virtual Result<compression::Payload> compress(
      const compression::PayloadFormat& format) = 0;
  // REQUIRES: a payload was made since the last settling. Error: kIo.
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

// Sparse updates in a device's memory, to be multiplied with arrays again and again.
class Products {
 public:
  virtual ~Products() = default;
  // Σ value · array[index] in fp64 of each update and each tensor group, in one order. Error: kIo.
  // REQUIRES: the array has all of the updates' indices.
  [[nodiscard]] virtual Result<std::vector<double>> multiply(FloatArray& array) = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  // Zeros. Errors: kTooLarge, with the remedy.
  [[nodiscard]] virtual Result<std::unique_ptr<FloatArray>> make_array(std::uint64_t count) = 0;
  // e = Δ = 0. `threads`: that code payloads. Errors: kTooLarge.
  [[nodiscard]] virtual Result<std::unique_ptr<ErrorFeedback>> make_error_feedback(
      const compression::Layout& layout, unsigned threads = 1) = 0;
  // θ, gradient and moments are 0. Calls nothing of a collective. Errors: kInvalidArgument (sizes
  // that the device does not take, with the remedy), kTooLarge, kNotFound (a library that it
  // needs).
  [[nodiscard]] virtual Result<std::unique_ptr<TrainableModel>> make_model(
      const ModelSettings& settings) = 0;
  // How many sequences a pass that only measures takes at once.
  [[nodiscard]] virtual std::uint32_t sequences_measured_at_once(
      const state::ModelSpec& spec) const = 0;

  // to = from. REQUIRES: equal sizes. Error: kIo.
  [[nodiscard]] virtual Status copy(FloatArray& from, FloatArray& to) = 0;
  // difference = a − b, which may be one of them; whether all of it is finite. Error: kIo.
  // REQUIRES: equal sizes, not 0.
  [[nodiscard]] virtual Result<bool> subtract(FloatArray& a, FloatArray& b,
                                              FloatArray& difference) = 0;
  // values[i] = array[indices[i]]. Errors: kTooLarge, kIo. REQUIRES: indices below the array's
  // size.
  [[nodiscard]] virtual Status gather(FloatArray& array, std::span<const std::uint64_t> indices,
                                      std::span<float> values) = 0;
  // array[index] −= rate · value for each entry, as state::outer_step does it; the old numbers are
  // kept. The array must outlive it. Errors, which leave the array as it was: kTooLarge, kIo.
  // REQUIRES: indices below the array's size, no two equal.
  [[nodiscard]] virtual Result<std::unique_ptr<Displacement>> displace(
      FloatArray& array, const compression::SparseUpdate& update, float rate) = 0;
  // The updates must outlive it. Errors: kTooLarge, kIo.
  [[nodiscard]] virtual Result<std::unique_ptr<Products>> make_products(
      std::span<const compression::SparseUpdate* const> updates,
      const state::TensorGroups& groups) = 0;
};

}  // namespace muster::model
