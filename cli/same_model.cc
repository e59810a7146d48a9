#include "cli/same_model.h"

#include <sstream>

namespace muster::cli {
namespace {

template <class T>
std::string text_of(const T& value) {
  std::ostringstream text;
  text << std::boolalpha << value;
  return text.str();
}

}  // namespace

Status check_same_model(const state::ModelSpec& configured, const state::ModelSpec& imported,
                        const std::string& configuration, const std::string& folder) {
  Status status;
  auto check = [&](const char* field, const auto& ours, const auto& theirs, bool fits) {
    if (!fits && status)
      status =
          Error{Errc::kInvalidArgument,
                configuration + ": 'model." + field + "' is " + text_of(ours) + ", " + folder +
                    "/config.json has " + text_of(theirs) + "; leave the field out, or change it"};
  };
  auto same = [&](const char* field, const auto& ours, const auto& theirs) {
    check(field, ours, theirs, ours == theirs);
  };
  same("d_model", configured.d_model, imported.d_model);
  same("layers", configured.layers, imported.layers);
  same("heads", configured.heads, imported.heads);
  same("kv_heads", configured.kv_heads, imported.kv_heads);
  same("d_ff", configured.d_ff, imported.d_ff);
  check("context", configured.context, imported.context, configured.context <= imported.context);
  same("vocab", configured.vocab, imported.vocab);
  same("tied", configured.tied, imported.tied);
  same("rope_theta", configured.rope_theta, imported.rope_theta);
  same("norm_epsilon", configured.norm_epsilon, imported.norm_epsilon);
  constexpr state::RopeScaling kNone{.factor = 1};
  const state::RopeScaling ours = configured.rope_scaling.value_or(kNone),
                           theirs = imported.rope_scaling.value_or(kNone);
  same("rope_factor", ours.factor, theirs.factor);
  same("rope_low_frequency_factor", ours.low_frequency_factor, theirs.low_frequency_factor);
  same("rope_high_frequency_factor", ours.high_frequency_factor, theirs.high_frequency_factor);
  same("rope_original_context", ours.original_context, theirs.original_context);
  return status;
}

}  // namespace muster::cli
