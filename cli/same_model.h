// Whether a configuration means the model that it imports. Thread safety: pure function.
#pragma once

#include <string>

#include "base/result.h"
#include "state/model_spec.h"

namespace muster::cli {

// The configuration may ask for a shorter context than the imported model's; everything else must
// be equal. Errors: kInvalidArgument, naming the first field of [model] that differs,
// `configuration` and `folder`.
[[nodiscard]] Status check_same_model(const state::ModelSpec& configured,
                                      const state::ModelSpec& imported,
                                      const std::string& configuration, const std::string& folder);

}  // namespace muster::cli
