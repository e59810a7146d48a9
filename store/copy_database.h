// A copy of a SQLite database that a living node writes to, made beside it: no lock is taken, the
// node notices nothing.
//
// The node's connection is exclusive and in WAL mode: the database file changes only when pages of
// the write-ahead log are moved into it, and such a page stays in the log until the log begins
// anew, under another salt. So the database and then the log are copied, and again if the log began
// anew meanwhile: what was torn in the one is whole in the other. Thread safety: pure but for the
// files.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace muster::store {

// Copies `from` to `to`, a new file, which holds at least what was durable when the call began,
// checked whole by SQLite. Errors: kNotFound, kTimeout (the log began anew each time), kMalformed
// (damaged), kNoSpace, kIo.
[[nodiscard]] Status copy_database(const std::filesystem::path& from,
                                   const std::filesystem::path& to);

// Copies a file as it is when it is opened: its length, and its permissions; synced. Errors:
// kNotFound, kNoSpace, kIo.
[[nodiscard]] Status copy_durably(const std::filesystem::path& from,
                                  const std::filesystem::path& to);

}  // namespace muster::store
