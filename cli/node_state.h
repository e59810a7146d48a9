// The saved state of a validator that is stopped, with the chain head to which it belongs: as the
// validator itself would read it when it starts, but without its key.
//
// Thread safety: pure but for the files.
#pragma once

#include <filesystem>

#include "protocol/follower.h"

namespace muster::cli {

inline constexpr const char* kJournal = "journal.sqlite";
inline constexpr const char* kValidatorState = "validator.state";
inline constexpr const char* kTrainerState = "trainer.state";
// Marks a folder that is a restored copy, or a coordinator's that was rebuilt: what was signed last
// may not be in it.
inline constexpr const char* kRestoredFile = "restored";

struct NodeState {
  std::vector<float> theta, downlink_residual;
  // At the state's round, with what the coordinator had signed of that round and the node had in
  // its journal.
  protocol::Follower follower;
};

// `folder`: a validator's. Errors: those of the files; kMalformed and the follower's (another
// run's, or damaged).
[[nodiscard]] Result<NodeState> read_node_state(const std::filesystem::path& folder,
                                                const protocol::ProtocolParams& params);

}  // namespace muster::cli
