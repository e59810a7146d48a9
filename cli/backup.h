// Backups of a node's folder, also while the node lives and without its noticing.
//
// The saved state is copied before the journal, so that the journal has all records that the state
// contains; blobs are copied last, since they are written before anything names them. Thread
// safety: pure but for the files.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace muster::cli {

struct Backup {
  std::string what;         // "miner", "validator", "coordinator" or "ledger"
  std::uint64_t files = 0;  // copied, blobs among them
};

// Copies the folder of a node to `destination`, which appears as a whole or not at all. A miner's
// or validator's copy takes the folder's place; a coordinator's has archive and blobs, for `muster
// coordinator --rebuild-from`. Errors: kAlreadyExists (`destination` is there), kNotFound (not a
// node's folder), kTimeout and kMalformed (as of store::copy_database), kNoSpace, kIo.
[[nodiscard]] Result<Backup> back_up(const std::filesystem::path& node,
                                     const std::filesystem::path& destination);

}  // namespace muster::cli
