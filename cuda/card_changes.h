// Sparse changes of a card's arrays, and differences. Only for the sources of libmuster_cuda.so.
//
// Thread safety: that of the card.
#pragma once

#include "cuda/card_array.h"

namespace muster::gpu {

// See Card for the contracts. What is made must not outlive context and array.
[[nodiscard]] Result<std::unique_ptr<Displacement>> make_displacement(
    CardContext& card, FloatArray& array, const compression::SparseUpdate& update, float rate);
[[nodiscard]] Status gather_from(CardContext& card, const CardArray& array,
                                 std::span<const std::uint64_t> indices, std::span<float> values);
[[nodiscard]] Result<bool> subtract_on(CardContext& card, const CardArray& a, const CardArray& b,
                                       CardArray& difference);

// Card::make_products.
[[nodiscard]] Result<std::unique_ptr<Products>> make_card_products(
    CardContext& card, std::span<const compression::SparseUpdate* const> updates,
    const state::TensorGroups& groups);

}  // namespace muster::gpu
