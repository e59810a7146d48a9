#include "base/printable.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace muster {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: no UTF-8 begins here
};

// The shortest form only, no surrogates, at most U+10FFFF (RFC 3629).
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0xFFu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kSmallest[bytes] || code > 0x10FFFF || surrogate) return {};
  return {code, bytes};
}

bool acts_on_a_terminal(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool direction = code == 0x061C || code == 0x200E || code == 0x200F ||
                         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  const bool invisible = (code >= 0x200B && code <= 0x200D) || code == 0x2060 || code == 0xFEFF;
  return control || direction || invisible;
}

std::string escaped(const char* format, std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

}  // namespace

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string safe;
  while (!text.empty()) {
    const Character character = first_of(text);
    std::string piece;
    if (character.bytes == 0) {
      piece = escaped("\\x%02x", static_cast<std::uint8_t>(text.front()));
    } else if (acts_on_a_terminal(character.code)) {
      piece = escaped(character.code < 0x100 ? "\\x%02x" : "\\u{%x}", character.code);
    } else {
      piece = text.substr(0, character.bytes);
    }
    if (safe.size() + piece.size() > bytes_max) return safe + "…";
    safe += piece;
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
  return safe;
}

}  // namespace muster
