// The families of vector files: which `schema` is checked by which function.
//
// A checker throws Malformed for a case that it cannot read; a kind it does not know is a failed
// verdict. It must bound every loop by what the case may ask for. Thread safety: pure functions.
#pragma once

#include <array>
#include <string_view>

#include "tests/chain/vectors/verdict.h"

namespace muster::chain::vectors {

// `next` is the step after this one, if any.
Verdict check_epoch_step(const json& step, const json* next);
Verdict check_coinbase_case(const json& test);
Verdict check_emission_case(const json& test);
Verdict check_emission_gate_case(const json& test);
Verdict check_math_case(const json& test);
Verdict check_protocol_case(const json& test);
Verdict check_keys_case(const json& test);
Verdict check_commit_case(const json& test);
Verdict check_weights_convert_case(const json& test);
Verdict check_registration_case(const json& test);
Verdict check_schedule_case(const json& test);
Verdict check_swap_case(const json& test);

struct Family {
  std::string_view schema;  // its version included, as the file says it
  Verdict (*check)(const json& test) = nullptr;
  // For cases that are a list of steps under "steps", each of which is checked and counted instead.
  Verdict (*check_step)(const json& step, const json* next) = nullptr;
};

inline constexpr std::array kFamilies{
    Family{"coinbase/1", check_coinbase_case},
    Family{"emission/1", check_emission_case},
    Family{"emission-gate/1", check_emission_gate_case},
    Family{"registration/1", check_registration_case},
    Family{"schedule/1", check_schedule_case},
    Family{"swap/1", check_swap_case},
    Family{"yuma-epoch/1", nullptr, check_epoch_step},
    Family{"yuma-math/1", check_math_case},
    Family{"protocol/1", check_protocol_case},
    Family{"keys/1", check_keys_case},
    Family{"commit/1", check_commit_case},
    Family{"weights-convert/1", check_weights_convert_case},
};

}  // namespace muster::chain::vectors
