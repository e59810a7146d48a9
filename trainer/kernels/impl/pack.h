// Packing matrices into panels. See kernels.h.
#pragma once

#include "trainer/kernels/impl/vector.h"

namespace muster::trainer::MUSTER_KERNELS {

// The words of up to 16 groups that stand one after the other, from `count` numbers on; zeros
// behind.
template <class T>
inline U words_along(const float* p, std::size_t count) {
  if constexpr (sizeof(T) == 4) {
    return cast<U>(count >= kLanes ? load(p) : load_part(p, count));
  } else {
#if defined(__AVX512BF16__)
    const F low = count >= kLanes ? load(p) : load_part(p, count);
    const F high = count >= 2 * kLanes
                       ? load(p + kLanes)
                       : (count > kLanes ? load_part(p + kLanes, count - kLanes) : F{});
    return cast<U>(_mm512_cvtne2ps_pbh(cast<__m512>(high), cast<__m512>(low)));
#endif
  }
}
inline U words_along(const Bf16* p, std::size_t count) {
  U words = {};
  std::memcpy(&words, p, (count < 2 * kLanes ? count : 2 * kLanes) * sizeof(Bf16));
  return words;
}

// 16 × 16 words, transposed in four steps that exchange blocks of 8, 4, 2 and 1.
template <int kStep>
inline void exchange(U* rows) {
  U low, high;
  for (int i = 0; i < 16; ++i) {
    low[i] = static_cast<std::uint32_t>((i & kStep) != 0 ? 16 + (i ^ kStep) : i);
    high[i] = static_cast<std::uint32_t>((i & kStep) != 0 ? 16 + i : (i ^ kStep));
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if ((i & kStep) != 0) continue;
    const U a = rows[i], b = rows[i + kStep];
    rows[i] = __builtin_shuffle(a, b, low);
    rows[i + kStep] = __builtin_shuffle(a, b, high);
  }
}

template <class T, class Source>
inline void pack_transposed_any(const Source* matrix, std::size_t row, std::size_t columns,
                                std::size_t summed, std::uint32_t* panels) {
  const std::size_t groups = groups_of<T>(summed), numbers = kLanes * kGroup<T>;
  for (std::size_t column = 0; column < columns; column += kPanelColumns) {
    std::uint32_t* panel = panels + column * groups;
    for (std::size_t part = 0; part < kPanelColumns; part += kLanes) {
      for (std::size_t g = 0; g < groups; g += kLanes) {
        U rows[kLanes];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kLanes; ++i) {
          const std::size_t c = column + part + i, from = g * kGroup<T>;
          if (c >= columns)
            rows[i] = U{};
          else if constexpr (sizeof(Source) == 2)
            rows[i] = words_along(matrix + c * row + from, summed - from);
          else
            rows[i] = words_along<T>(matrix + c * row + from,
                                     summed - from < numbers ? summed - from : numbers);
        }
        exchange<8>(rows);
        exchange<4>(rows);
        exchange<2>(rows);
        exchange<1>(rows);
        for (std::size_t i = 0; i < kLanes && g + i < groups; ++i)
          std::memcpy(panel + (g + i) * kPanelColumns + part, &rows[i], sizeof(U));
      }
    }
  }
}

// Words whose numbers stand in two rows, one below the other.
template <class T>
inline U words_across(F upper, [[maybe_unused]] F lower) {
  if constexpr (sizeof(T) == 4) {
    return cast<U>(upper);
  } else {
#if defined(__AVX512BF16__)
    return __builtin_convertvector(to_halves(upper), U) |
           (__builtin_convertvector(to_halves(lower), U) << 16);
#endif
  }
}

// The same from 16 stored numbers of each row.
template <class T>
inline U words_across(const float* upper, [[maybe_unused]] const float* lower) {
  return words_across<T>(load(upper), lower == nullptr ? F{} : load(lower));
}
template <class T>
inline U words_across(const Bf16* upper, const Bf16* lower) {
  H high = {}, low;
  std::memcpy(&low, upper, sizeof(H));
  if (lower != nullptr) std::memcpy(&high, lower, sizeof(H));
  return __builtin_convertvector(low, U) | (__builtin_convertvector(high, U) << 16);
}

template <class T, class Source>
inline void pack_rows_any(const Source* matrix, std::size_t row, std::size_t summed,
                          std::size_t columns, std::uint32_t* panels) {
  const std::size_t groups = groups_of<T>(summed);
  for (std::size_t column = 0; column < columns; column += kPanelColumns) {
    std::uint32_t* panel = panels + column * groups;
    for (std::size_t g = 0; g < groups; ++g) {
      const Source* upper = matrix + g * kGroup<T> * row;
      const bool paired = kGroup<T> == 2 && g * 2 + 1 < summed;
      for (std::size_t part = 0; part < kPanelColumns; part += kLanes) {
        const std::size_t c = column + part;
        U words = {};
        if (c + kLanes <= columns)
          words = words_across<T>(upper + c, paired ? upper + row + c : nullptr);
        else if (c < columns)
          words = words_across<T>(load_part(upper + c, columns - c),
                                  paired ? load_part(upper + row + c, columns - c) : F{});
        std::memcpy(panel + g * kPanelColumns + part, &words, sizeof(U));
      }
    }
  }
}

template <class T>
void pack_transposed(const float* matrix, std::size_t row, std::size_t columns, std::size_t summed,
                     std::uint32_t* panels) {
  pack_transposed_any<T>(matrix, row, columns, summed, panels);
}
template <class T>
void pack_rows(const float* matrix, std::size_t row, std::size_t summed, std::size_t columns,
               std::uint32_t* panels) {
  pack_rows_any<T>(matrix, row, summed, columns, panels);
}
template <class T>
void pack_stored_rows(const T* matrix, std::size_t row, std::size_t summed, std::size_t columns,
                      std::uint32_t* panels) {
  pack_rows_any<T>(matrix, row, summed, columns, panels);
}

}  // namespace muster::trainer::MUSTER_KERNELS
