// Rebuilding a coordinator's folder that was lost, from what others have: the run's archive, an
// audit bundle, or the folder of a validator.
//
// Archive and bundle give all records and blobs; a validator gives the state, the chain head and
// what the coordinator signed of the round that was open. Nothing is signed for a round here: what
// is missing of the round that comes next, nodes hand back (coordinator/taking_back.cc). Thread
// safety: pure but for the files.
#pragma once

#include "base/key.h"
#include "cli/run_folder.h"

namespace muster::cli {

struct Rebuilt {
  std::string source;         // what it was, in words
  std::uint64_t records = 0;  // in the journal
  std::uint64_t blobs = 0;    // copied
  Round first_round;          // that the records begin with; 0: all rounds
};

// Makes `home`/journal.sqlite, and the blobs of `folder`, from `source`; the journal appears last,
// as a whole. `key`: the coordinator's, which signs where the records begin. Errors: kAlreadyExists
// (a journal with records is here, or an archive of more than the source; or the source's node is
// running), kNotFound (`source` is nothing to rebuild from), kInvalidArgument (a miner's folder, a
// bundle without payloads), kWrongRun, kConflict (a validator that had not applied the newest
// sealed round), those of the files.
[[nodiscard]] Result<Rebuilt> rebuild_coordinator(const RunFolder& folder,
                                                  const std::filesystem::path& home,
                                                  const protocol::ProtocolParams& params,
                                                  const SigningKey& key,
                                                  const std::filesystem::path& source);

}  // namespace muster::cli
