// 128-bit integers under names that -Wpedantic accepts, and the traits that the standard library
// withholds for them.
//
// Why: prices, stakes and emissions are fixed-point numbers of 128 bits. Thread safety: pure types.
#pragma once

#include <cstdint>
#include <type_traits>

namespace muster::chain {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

inline constexpr Uint128 kUint128Max = ~Uint128{0};
inline constexpr Int128 kInt128Max = static_cast<Int128>(kUint128Max >> 1);
inline constexpr Int128 kInt128Min = -kInt128Max - 1;

// Holds for the built-in integers and for both 128-bit ones, whatever the language mode says of
// them.
template <class T>
concept Integer = std::is_integral_v<T> || std::is_same_v<T, Int128> || std::is_same_v<T, Uint128>;

template <Integer T>
inline constexpr bool kIsSigned = static_cast<T>(-1) < static_cast<T>(0);

template <Integer T>
inline constexpr T kIntegerMax = kIsSigned<T>
                                     ? static_cast<T>((Uint128{1} << (sizeof(T) * 8 - 1)) - 1)
                                     : static_cast<T>(~T{0});
template <Integer T>
inline constexpr T kIntegerMin = kIsSigned<T> ? static_cast<T>(-kIntegerMax<T> - 1) : T{0};

}  // namespace muster::chain
