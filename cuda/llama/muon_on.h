// MuonOn: Muon's step of the hidden matrices on a backend (see passes.h); Newton–Schulz runs in T,
// bf16 on cards.
//
// Formulas are trainer/optim/muon.h's and newton_schulz.h's. Thread safety: one owner.
#pragma once

#include <cmath>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/llama/element_tasks.h"
#include "cuda/llama/muon_tasks.h"

namespace muster::gpu {

struct HiddenMatrix {
  std::uint64_t offset = 0, state_offset = 0;
  std::size_t rows = 0, columns = 0;
  [[nodiscard]] std::uint64_t count() const { return std::uint64_t{rows} * columns; }
};
// Matrices of the decoder layers, in the layout's order: neither embedding nor head.
[[nodiscard]] std::vector<HiddenMatrix> hidden_matrices(const compression::Layout& layout);

template <class T, class Backend>
class MuonOn {
 public:
  // Errors: kTooLarge, kIo.
  [[nodiscard]] static Result<MuonOn> make(Backend& backend, const compression::Layout& layout) {
    MuonOn muon(backend, hidden_matrices(layout));
    MUSTER_TRY_STATUS(muon.reserve());
    return Result<MuonOn>(std::move(muon));
  }
  [[nodiscard]] FloatArray& momentum() { return *momentum_; }

  struct Task {
    const StepInput* input;
    const StepResult* result;
    const float* gradient;
    float* theta;
    Bf16* rounded;
    float mu, decay;
  };
  void step(const Task& task) {
    for (const HiddenMatrix& matrix : matrices_) step_matrix(task, matrix);
  }

 private:
  static constexpr int kSteps = 5;
  static constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;
  template <class X>
  using Array = typename Backend::template Array<X>;

  MuonOn(Backend& backend, std::vector<HiddenMatrix> matrices)
      : backend_(&backend), matrices_(std::move(matrices)) {}

  Status reserve() {
    std::uint64_t all = 0, largest = 0, side = 0;
    for (const HiddenMatrix& matrix : matrices_) {
      all += matrix.count();
      largest = std::max(largest, matrix.count());
      side = std::max<std::uint64_t>(side, std::min(matrix.rows, matrix.columns));
    }
    MUSTER_TRY(momentum_, backend_->make_floats(all));
    MUSTER_TRY(update_, backend_->template allocate<float>(largest));
    MUSTER_TRY(squares_, backend_->template allocate<double>(chunk_count(largest)));
    MUSTER_TRY(x_, backend_->template allocate<T>(largest));
    MUSTER_TRY(product_, backend_->template allocate<T>(largest));
    MUSTER_TRY(gram_, backend_->template allocate<float>(side * side));
    MUSTER_TRY(gram_square_, backend_->template allocate<float>(side * side));
    MUSTER_TRY(polynomial_, backend_->template allocate<T>(side * side));
    return {};
  }

  void step_matrix(const Task& task, const HiddenMatrix& matrix) {
    const std::uint64_t count = matrix.count(), blocks = chunk_count(count);
    backend_->run(MomentumTask{task.result, task.gradient + matrix.offset,
                               momentum_->device_data() + matrix.state_offset, update_.data(),
                               count, task.mu},
                  blocks);
    backend_->run(SumSquaresTask{update_.data(), count, squares_.data()}, blocks);
    backend_->run(NormalizeTask<T>{update_.data(), squares_.data(), x_.data(), count}, blocks);
    for (int i = 0; i < kSteps; ++i) iterate(matrix.rows, matrix.columns);
    const float longest = static_cast<float>(std::max(matrix.rows, matrix.columns));
    backend_->run(MuonTask<T>{task.input, task.result, x_.data(), task.theta + matrix.offset,
                              task.rounded == nullptr ? nullptr : task.rounded + matrix.offset,
                              count, task.decay, 0.2f * std::sqrt(longest)},
                  blocks);
  }

  // X ← aX + (bA + cA²)X with A = XXᵀ; for a tall matrix X(bA + cA²) with A = XᵀX.
  void iterate(std::size_t rows, std::size_t columns) {
    const bool tall = rows > columns;
    const std::size_t side = std::min(rows, columns);
    const std::uint64_t square = std::uint64_t{side} * side, count = std::uint64_t{rows} * columns;
    if (tall) {
      backend_->zero(gram_.data(), square);
      backend_->add_weight_gradient(x_.data(), x_.data(), gram_.data(), rows, columns, columns);
    } else {
      backend_->forward(x_.data(), x_.data(), gram_.data(), rows, rows, columns);
    }
    backend_->run(
        CombineTask<float, float, T>{gram_.data(), gram_.data(), polynomial_.data(), 1, 0, square},
        chunk_count(square));
    // A is symmetric.
    backend_->forward(polynomial_.data(), polynomial_.data(), gram_square_.data(), side, side,
                      side);
    backend_->run(CombineTask<float, float, T>{gram_.data(), gram_square_.data(),
                                               polynomial_.data(), kB, kC, square},
                  chunk_count(square));
    if (tall)
      backend_->forward(x_.data(), polynomial_.data(), product_.data(), rows, columns, columns);
    else
      backend_->backward(polynomial_.data(), x_.data(), product_.data(), rows, rows, columns);
    backend_->run(CombineTask<T, T, T>{x_.data(), product_.data(), x_.data(), kA, 1, count},
                  chunk_count(count));
  }

  Backend* backend_;
  std::vector<HiddenMatrix> matrices_;
  std::unique_ptr<FloatArray> momentum_;
  Array<float> update_, gram_, gram_square_;
  Array<double> squares_;
  Array<T> x_, product_, polynomial_;
};

}  // namespace muster::gpu
