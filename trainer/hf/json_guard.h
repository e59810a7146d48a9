// Parsing JSON from files of others: bounded depth, no duplicate names, nothing after the value.
//
// A JSON library alone would let "[[[[…" cost a hundred times its size and would keep one of two
// equal names without a word. Include from .cc files only: it brings the JSON library with it.
// Thread safety: pure function.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace muster::trainer {

// `what` opens the messages. Errors: kMalformed.
[[nodiscard]] Result<nlohmann::json> parse_json(ByteSpan text, int depth_max,
                                                std::string_view what);

}  // namespace muster::trainer
