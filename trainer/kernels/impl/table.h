// The table of one instruction set: include last, after everything that it is made of.
#pragma once

#include "trainer/kernels/impl/attention.h"
#include "trainer/kernels/impl/layers.h"
#include "trainer/kernels/impl/optimizer.h"
#include "trainer/kernels/impl/pack.h"
#include "trainer/kernels/impl/product.h"

namespace muster::trainer::MUSTER_KERNELS {

template <class T>
constexpr Kernels<T> table(std::string_view name) {
  return {.name = name,
          .multiply = multiply<T>,
          .pack_transposed = pack_transposed<T>,
          .pack_rows = pack_rows<T>,
          .pack_stored_rows = pack_stored_rows<T>,
          .attention_words = attention_words<T>,
          .attention = attention<T>,
          .attention_backward = attention_backward<T>,
          .rms_norm = rms_norm<T>,
          .rms_norm_backward = rms_norm_backward<T>,
          .rotate = rotate<T>,
          .swiglu = swiglu<T>,
          .swiglu_backward = swiglu_backward<T>,
          .cross_entropy = cross_entropy<T>,
          .matrix_vector = matrix_vector,
          .adamw = adamw,
          .sum_squares = sum_squares};
}

}  // namespace muster::trainer::MUSTER_KERNELS
