// Matrix products: tiles of up to 6 rows whose sums stay in registers. See kernels.h for panels.
#pragma once

#include "trainer/kernels/impl/vector.h"

namespace muster::trainer::MUSTER_KERNELS {

constexpr std::size_t kTileRows = 6;

// Where one tile's results go: its first element.
struct TileOut {
  Into into;
  float* c;
  const float* base;
  void* t;
  std::size_t c_row, base_row, columns;
};

inline void put_float(const TileOut& out, std::size_t row, std::size_t column, N value) {
  float* c = out.c + row * out.c_row + column;
  const float* base = out.base + row * out.base_row + column;
  if (column + kNativeLanes <= out.columns) {
    if (out.into == Into::kFloatAdded) {
      N before;
      std::memcpy(&before, base, sizeof(N));
      value = before + value;
    }
    std::memcpy(c, &value, sizeof(N));
  } else if (column < out.columns) {
    float lanes[kNativeLanes];
    std::memcpy(lanes, &value, sizeof(N));
    for (std::size_t i = 0; column + i < out.columns; ++i)
      c[i] = out.into == Into::kFloatAdded ? base[i] + lanes[i] : lanes[i];
  }
}

template <class T>
inline void put_stored(const TileOut& out, std::size_t row, std::size_t column, N value) {
  if (column >= out.columns) return;
  T* t = static_cast<T*>(out.t) + row * out.c_row + column;
  const std::size_t count =
      out.columns - column < kNativeLanes ? out.columns - column : kNativeLanes;
#if defined(__AVX512F__)
  if (count == kNativeLanes) return store(t, value);
  return store_part(t, value, count);
#else
  static_assert(sizeof(T) == sizeof(float));
  std::memcpy(t, &value, count * sizeof(float));
#endif
}

template <class T, std::size_t kRows, std::size_t kVectors>
inline void tile(const Product& p, const std::uint32_t* a, const std::uint32_t* b,
                 const TileOut& out) {
  N acc[kRows][kVectors] = {};
  const std::uint32_t* rows[kRows];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) rows[r] = a + r * p.a_row;
  std::size_t offset = 0;
  for (std::size_t g = 0; g < p.groups; ++g, b += kPanelColumns, offset += p.a_group) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint32_t word = rows[r][offset];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v)
        acc[r][v] = add_product<T>(acc[r][v], word, b + v * kNativeLanes);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      if (p.into == Into::kStored)
        put_stored<T>(out, r, v * kNativeLanes, acc[r][v]);
      else
        put_float(out, r, v * kNativeLanes, acc[r][v]);
    }
}

template <class T, std::size_t kVectors>
inline void tile_rows(const Product& p, std::size_t rows, const std::uint32_t* a,
                      const std::uint32_t* b, const TileOut& out) {
  switch (rows) {
    case 1:
      return tile<T, 1, kVectors>(p, a, b, out);
    case 2:
      return tile<T, 2, kVectors>(p, a, b, out);
    case 3:
      return tile<T, 3, kVectors>(p, a, b, out);
    case 4:
      return tile<T, 4, kVectors>(p, a, b, out);
    case 5:
      return tile<T, 5, kVectors>(p, a, b, out);
    default:
      return tile<T, 6, kVectors>(p, a, b, out);
  }
}

// Rows go by blocks that fit the second-level cache, so that each block meets every panel while it
// is there.
template <class T>
void multiply(const Product& p) {
  constexpr std::size_t kBlockWords = 64 * 1024, kTileColumns = kTileVectors * kNativeLanes;
  const std::size_t fitting = kBlockWords / (p.groups + 1) / kTileRows * kTileRows;
  const std::size_t block = fitting < 4 * kTileRows ? 4 * kTileRows : fitting;
  for (std::size_t first = 0; first < p.rows; first += block) {
    const std::size_t last = first + block < p.rows ? first + block : p.rows;
    for (std::size_t column = 0; column < p.columns; column += kTileColumns) {
      const std::uint32_t* b = p.panels + column / kPanelColumns * p.panel_groups * kPanelColumns +
                               column % kPanelColumns;
      const std::size_t columns =
          p.columns - column < kTileColumns ? p.columns - column : kTileColumns;
      for (std::size_t row = first; row < last; row += kTileRows) {
        const TileOut out{p.into,
                          p.c == nullptr ? nullptr : p.c + row * p.c_row + column,
                          p.base == nullptr ? nullptr : p.base + row * p.base_row + column,
                          p.t == nullptr ? nullptr : static_cast<T*>(p.t) + row * p.c_row + column,
                          p.c_row,
                          p.base_row,
                          columns};
        const std::uint32_t* a = p.a + row * p.a_row;
        const std::size_t rows = last - row < kTileRows ? last - row : kTileRows;
        if (columns > kTileColumns / 2)
          tile_rows<T, kTileVectors>(p, rows, a, b, out);
        else
          tile_rows<T, kTileVectors / 2>(p, rows, a, b, out);
      }
    }
  }
}

}  // namespace muster::trainer::MUSTER_KERNELS
