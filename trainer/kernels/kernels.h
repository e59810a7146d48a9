// Kernels: the loops that training spends its time in, on one thread, one implementation per
// instruction set behind one table, chosen at run time. An engine cuts the work into parts for its
// threads.
//
// T is the type of stored activations: float, or Bf16 with products of pairs summed in fp32.
//
// Matrix products read their second operand from *panels*: 64 columns wide, one 4-byte word per
// column and *group* of the summed dimension, where a group is two numbers in bf16 and one in fp32;
// zeros fill up what is missing. Word (group g, column c) of panel p stands at (p · groups + g) ·
// 64 + c.
//
// Shapes: D model width, F feed-forward width, V vocabulary, E head width, T positions of a
// sequence. Thread safety: pure functions. Determinism: the same bits on every run on one
// instruction set; between instruction sets results differ by rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "trainer/kernels/bf16.h"

namespace muster::trainer {

inline constexpr std::size_t kPanelColumns = 64;

template <class T>
inline constexpr std::size_t kGroup = 4 / sizeof(T);  // numbers in a word

template <class T>
[[nodiscard]] constexpr std::size_t groups_of(std::size_t count) {
  return (count + kGroup<T> - 1) / kGroup<T>;
}
// Of panels for `columns` columns over `summed` terms.
template <class T>
[[nodiscard]] constexpr std::size_t panel_words(std::size_t summed, std::size_t columns) {
  return (columns + kPanelColumns - 1) / kPanelColumns * groups_of<T>(summed) * kPanelColumns;
}

enum class Into : std::uint8_t {
  kFloat,       // c = product
  kFloatAdded,  // c = base + product; base may be c
  kStored,      // t = product, rounded to T
};

// c[row, column] for rows × columns: the sum over groups of a's words times the panels'.
struct Product {
  const std::uint32_t* a = nullptr;
  std::size_t a_row = 0, a_group = 0;  // words from one row, or group, to the next
  std::size_t rows = 0, columns = 0, groups = 0;
  const std::uint32_t* panels = nullptr;
  std::size_t panel_groups = 0;  // of a whole panel, at least `groups`
  Into into = Into::kFloat;
  float* c = nullptr;
  const float* base = nullptr;
  void* t = nullptr;
  std::size_t c_row = 0, base_row = 0;  // numbers from one row to the next
};

// One key/value head of one sequence, with the query heads that share it. Pointers are to the first
// position; q, k and v (rotated) have `row` numbers from one position to the next, outputs have
// `out_row`.
template <class T>
struct AttentionHead {
  std::size_t positions = 0, width = 0,
              queries = 1;  // E is `width`; query heads stand side by side
  std::size_t row = 0, out_row = 0;
  T *q = nullptr, *k = nullptr,
    *v = nullptr;    // backward replaces them by their gradients, not yet rotated back
  T* out = nullptr;  // forward writes it, backward reads it
  const T* d_out = nullptr;
  float* log_sum = nullptr;  // [queries, positions]: of exp(score / √E) in each row
};

struct AdamwStep {
  float learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;
  float correction1 = 1, correction2 = 1;  // 1 − β^t
  float gradient_scale = 1;
};

template <class T>
struct Kernels {
  std::string_view name;  // "avx512_bf16", "avx512", "avx2", "portable"

  void (*multiply)(const Product& product);
  // Panels of the transpose of a row-major matrix [columns, summed] (a weight [out, in] for x ·
  // Wᵀ).
  void (*pack_transposed)(const float* matrix, std::size_t row, std::size_t columns,
                          std::size_t summed, std::uint32_t* panels);
  // Panels of a row-major matrix [summed, columns] as it is: groups of neighbouring rows.
  void (*pack_rows)(const float* matrix, std::size_t row, std::size_t summed, std::size_t columns,
                    std::uint32_t* panels);
  void (*pack_stored_rows)(const T* matrix, std::size_t row, std::size_t summed,
                           std::size_t columns, std::uint32_t* panels);

  // 4-byte words of scratch for one attention call.
  std::size_t (*attention_words)(std::size_t positions, std::size_t width);
  void (*attention)(const AttentionHead<T>& head, std::uint32_t* scratch);
  void (*attention_backward)(const AttentionHead<T>& head, std::uint32_t* scratch);

  // x_MD -> h_MD = x · scale_M · gain_D with scale = (mean x² + ε)^-½ per row.
  void (*rms_norm)(const float* x, const float* gain, std::size_t rows, std::size_t width,
                   float epsilon, T* h, float* scale);
  // dx += ∂L/∂x; d_gain += ∂L/∂gain of these rows; stored = dx in T.
  void (*rms_norm_backward)(const float* dh, const float* x, const float* gain, const float* scale,
                            std::size_t rows, std::size_t width, float* dx, float* d_gain,
                            T* stored);
  // Rotates pairs (i, i + E/2) of `heads` heads at each position by the table's angles, or back.
  void (*rotate)(T* x, std::size_t row, std::size_t heads, std::size_t width, const float* cosines,
                 const float* sines, std::size_t positions, bool back);
  // gate_up_M(2F) -> act_MF = silu(gate) · up.
  void (*swiglu)(const T* gate_up, std::size_t rows, std::size_t width, T* act);
  // act holds ∂L/∂act and becomes act again; gate_up becomes its gradient.
  void (*swiglu_backward)(T* gate_up, std::size_t rows, std::size_t width, T* act);
  // −log softmax(logits)[target]; with d_logits also (softmax − one-hot) · scale. Overwrites
  // logits.
  float (*cross_entropy)(float* logits, std::size_t vocab, std::size_t target, float scale,
                         T* d_logits);

  // y = W x, W row-major [rows, columns].
  void (*matrix_vector)(const float* matrix, std::size_t rows, std::size_t columns, const float* x,
                        float* y);
  void (*adamw)(const AdamwStep& step, std::size_t count, const float* gradient, float* parameters,
                float* first_moment, float* second_moment);
  // Σ x², in fp64.
  double (*sum_squares)(const float* values, std::size_t count);
};

// All that this CPU can run, the best first; none where it cannot multiply T.
template <class T>
[[nodiscard]] std::span<const Kernels<T>* const> available_kernels();

}  // namespace muster::trainer
