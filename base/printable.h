// Text that a peer, a file or a user chose, made safe for a terminal, a log and JSON.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace muster {

// The text with everything escaped that could act on a terminal or mislead its reader: control
// characters (also of C1), what changes the direction of text or does not show, and bytes that are
// no UTF-8, as \xNN or \u{N}. Always valid UTF-8. At most `bytes_max` bytes of it, then "…".
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max = 1024);

}  // namespace muster
