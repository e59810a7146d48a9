#include "tests/chain/vectors/json_fields.h"

#include <algorithm>
#include <cmath>

namespace muster::chain::vectors {
namespace {

constexpr std::size_t kElementsMax = std::size_t{1} << 20;

[[noreturn]] void fail(const char* name, const std::string& what) {
  throw Malformed("field '" + std::string(name) + "' " + what);
}

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  return text;
}

// Sign and magnitude of a whole number.
struct Whole {
  bool negative = false;
  Uint128 size = 0;
};

Whole whole_from_string(const std::string& text, const char* name) {
  Whole whole;
  std::size_t at = 0;
  if (!text.empty() && text[0] == '-') {
    whole.negative = true;
    at = 1;
  }
  if (at == text.size()) fail(name, "is an empty number");
  for (; at < text.size(); ++at) {
    if (text[at] < '0' || text[at] > '9') fail(name, "is no decimal number: " + shown(text));
    const auto digit = static_cast<Uint128>(text[at] - '0');
    if (__builtin_mul_overflow(whole.size, Uint128{10}, &whole.size) ||
        __builtin_add_overflow(whole.size, digit, &whole.size))
      fail(name, "has more than 128 bits");
  }
  return whole;
}

Whole whole_of(const json& value, const char* name) {
  if (value.is_string()) return whole_from_string(value.get_ref<const std::string&>(), name);
  if (value.is_boolean()) return {false, value.get<bool>() ? 1u : 0u};
  if (value.is_number_unsigned()) return {false, value.get<std::uint64_t>()};
  if (value.is_number_integer()) {
    const Int128 number = value.get<std::int64_t>();
    return {number < 0, static_cast<Uint128>(number < 0 ? -number : number)};
  }
  fail(name, "is no whole number (one of more than 64 bits is a string): " + shown(value));
}

}  // namespace

std::string to_text(Uint128 value) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

std::string to_text(Int128 value) {
  if (value >= 0) return to_text(static_cast<Uint128>(value));
  return "-" + to_text(Uint128{0} - static_cast<Uint128>(value));
}

const json& member(const json& object, const char* name) {
  if (!object.is_object()) fail(name, "is looked for in what is no object");
  const auto found = object.find(name);
  if (found == object.end()) fail(name, "is missing");
  return *found;
}

Int128 integer_within(const json& value, const char* name, Int128 least, Int128 most) {
  const Whole whole = whole_of(value, name);
  const Uint128 limit = whole.negative ? Uint128{1} << 127 : static_cast<Uint128>(kInt128Max);
  if (whole.size <= limit) {
    const auto number = static_cast<Int128>(whole.negative ? Uint128{0} - whole.size : whole.size);
    if (number >= least && number <= most) return number;
  }
  fail(name, "is out of range: " + shown(value));
}

Uint128 uint128_of(const json& value, const char* name) {
  const Whole whole = whole_of(value, name);
  if (whole.negative && whole.size != 0) fail(name, "is negative: " + shown(value));
  return whole.size;
}

double number_of(const json& value, const char* name) {
  if (!value.is_number()) fail(name, "is no number: " + shown(value));
  return value.get<double>();
}

const std::string& string_of(const json& value, const char* name) {
  if (!value.is_string()) fail(name, "is no string: " + shown(value));
  return value.get_ref<const std::string&>();
}

const json& array_of(const json& value, const char* name) {
  if (!value.is_array()) fail(name, "is no list: " + shown(value));
  if (value.size() > kElementsMax) fail(name, "has too many elements");
  return value;
}

template <class F>
F fixed_from_number(double value) {
  using Bits = typename F::Bits;
  const double scaled = std::nearbyint(std::ldexp(value, F::kFractionBits));
  const double limit =
      std::ldexp(1.0, static_cast<int>(sizeof(Bits) * 8) - (kIsSigned<Bits> ? 1 : 0));
  if (scaled >= limit) return F::max();
  if (scaled < (kIsSigned<Bits> ? -limit : 0.0)) return F::min();
  return F::from_bits(static_cast<Bits>(scaled));
}

template I32F32 fixed_from_number(double);
template I96F32 fixed_from_number(double);
template U96F32 fixed_from_number(double);
template U64F64 fixed_from_number(double);

}  // namespace muster::chain::vectors
