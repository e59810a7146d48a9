// config.json: a Llama model's shape as the transformers library writes and reads it.
//
// transformers 4 has rope_theta and rope_scaling, 5 has rope_parameters, and one writes torch_dtype
// where the other writes dtype: written are both spellings, read is either.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "state/model_spec.h"

namespace muster::trainer {

// The context is max_position_embeddings; `end` is the token at which generation ends, where there
// is one.
[[nodiscard]] std::string write_hf_config(const state::ModelSpec& model,
                                          std::optional<std::int32_t> end = std::nullopt);

// Errors: kMalformed (not JSON, a missing or mistyped key), kInvalidArgument (a model that is not a
// plain Llama: another type, activation, biases, rope type or head size; a shape outside the ranges
// of state::validate). Messages name the key.
[[nodiscard]] Result<state::ModelSpec> read_hf_config(ByteSpan json);

}  // namespace muster::trainer
